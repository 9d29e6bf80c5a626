// Answers for acts that must not go side by side because they concern the same thing: one after the other, in the order of their
// asking. Whoever comes second looks again at what the first left.

export interface Turns<Key> {
  /** Resolves or rejects as the act does, which begins when all before it of the same key are over, however they ended. */
  take<Result>(key: Key, act: () => Promise<Result>): Promise<Result>
}

export function createTurns<Key>(): Turns<Key> {
  const latest = new Map<Key, Promise<unknown>>()

  return {
    async take(key, act) {
      const before = latest.get(key) ?? Promise.resolve()
      const mine = before.then(act, act)
      latest.set(key, mine)
      try {
        return await mine
      } finally {
        if (latest.get(key) === mine) latest.delete(key)
      }
    },
  }
}
