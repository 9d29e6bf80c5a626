// Answers for which of two contents of a path is the newer one, when several hosts may have changed it: how often each host has, so far as
// a content knows (a version vector). Pure. Clocks decide nothing here but that a host's own counts never go down.

declare const brand: unique symbol

/** `host:count` for each host that ever put other bytes at the path, in order of the hosts, joined by commas. */
export type Version = string & { readonly [brand]: 'Version' }

/** `before`: the other knows all that this one does, and more; `beside`: each has a change that the other does not know. */
export type Relation = 'same' | 'before' | 'after' | 'beside'

const FORM = /^[a-z0-9]{1,16}:\d{1,15}(?:,[a-z0-9]{1,16}:\d{1,15})*$/

export const parseVersion = (text: string): Version | undefined =>
  FORM.test(text) && text.length <= MOST_CHARACTERS ? (text as Version) : undefined

/** Of some forty hosts. */
const MOST_CHARACTERS = 1000

const read = (version: Version | undefined): Map<string, number> =>
  new Map(
    (version === undefined ? [] : version.split(',')).map((part) => {
      const [host = '', count] = part.split(':')
      return [host, Number(count)]
    }),
  )

const write = (counts: ReadonlyMap<string, number>): Version =>
  [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([host, count]) => `${host}:${count}`)
    .join(',') as Version

/** Without a version: nothing is known of where it came from, so it knows of no change. */
export function relate(a: Version | undefined, b: Version | undefined): Relation {
  if (a === b) return 'same'
  const [ours, theirs] = [read(a), read(b)]
  const lacks = (one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>) =>
    [...other].some(([host, count]) => (one.get(host) ?? 0) < count)
  const [isOlder, isNewer] = [lacks(ours, theirs), lacks(theirs, ours)]
  if (isOlder) return isNewer ? 'beside' : 'before'
  return isNewer ? 'after' : 'same'
}

/** Knows what both know. */
export function join(a: Version | undefined, b: Version | undefined): Version | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const counts = read(a)
  for (const [host, count] of read(b)) counts.set(host, Math.max(count, counts.get(host) ?? 0))
  return write(counts)
}

/**
 * After this host has put other bytes at the path. The count is the second of the change, so that a path which was forgotten and
 * comes back is newer than what others still have of it from here.
 */
export function advance(version: Version | undefined, host: string, nowMs: number): Version {
  const counts = read(version)
  return write(counts.set(host, Math.max(Math.floor(nowMs / 1000), (counts.get(host) ?? 0) + 1)))
}
