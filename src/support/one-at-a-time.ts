// Answers for an act that must not run twice at once. Not for a queue: however many ask, one run is under way and one to come.

/**
 * The act, so that all who ask for it while it runs share one further run, begun after they asked. Resolves when a run that began
 * after the asking is over.
 */
export function oneAtATime(act: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined

  const run = (): Promise<void> => {
    if (running === undefined) {
      running = act().finally(() => {
        running = undefined
      })
      return running
    }
    const again = () => {
      next = undefined
      return run()
    }
    // Whoever asked for the run before hears of its failure.
    next ??= running.then(again, again)
    return next
  }
  return run
}
