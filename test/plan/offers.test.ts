// What another host's word means, as a table; and that hosts which decide by it come to one folder, whatever the order of their news.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ManifestEntry, MediaPath } from '../../src/media/media.ts'
import { advance, type Version } from '../../src/media/version.ts'
import { conflictPath, type OfferPolicy, planOffer, stepInAtMs } from '../../src/plan/offers.ts'
import type { Sight } from '../../src/plan/plan.ts'
import type { Step } from '../../src/plan/step.ts'
import {
  aFile,
  aFingerprint,
  aMediaId,
  anEntry,
  aPath,
  aProblem,
  HOUR_MS,
  NOW_MS,
} from '../helpers/builders.ts'

const policy: OfferPolicy = { renewReferences: true, isIgnored: () => false, host: 'here' }
const v = (text: string) => text as Version
const file = aFile({ path: 'a.jpg' })
const ours = (about: Partial<ManifestEntry> = {}) =>
  anEntry({ fingerprint: aFingerprint('ours'), version: v('here:5'), ...about, of: file })
const theirs = (about: Partial<ManifestEntry> = {}) =>
  anEntry({ mediaId: aMediaId('theirs'), version: v('there:5'), ...about, path: 'a.jpg' })

interface Scene {
  entry?: ManifestEntry
  offers: ManifestEntry[]
  sight?: Partial<Sight>
  copies?: ManifestEntry[]
}

const plan = ({ entry, offers, sight, copies = [] }: Scene): Step | undefined =>
  planOffer(
    {
      path: aPath('a.jpg'),
      file: entry && file,
      isUnsettled: false,
      entry,
      problem: undefined,
      offered: { offers, copies: new Set(copies.map(({ fingerprint }) => fingerprint)) },
      ...sight,
    },
    policy,
    NOW_MS,
  )

describe('an offer', () => {
  const same = { fingerprint: aFingerprint('ours') }
  const late = { modifiedAtMs: NOW_MS }
  const forgotten = (of: ManifestEntry) =>
    aProblem({ code: 'FORGOTTEN', fingerprint: of.fingerprint })
  const cases: [string, Scene, string | undefined][] = [
    ['of what is not here is taken', { offers: [theirs()] }, 'take a.jpg'],
    ['whose id is dead is not', { offers: [theirs({ expiresAtMs: NOW_MS })] }, undefined],
    [
      'of what a person did away with is not',
      { offers: [theirs()], sight: { problem: forgotten(theirs()) } },
      undefined,
    ],
    [
      'of another content than that is',
      { offers: [theirs()], sight: { problem: forgotten(ours()) } },
      'take a.jpg',
    ],
    ['waits for a file that has no entry yet', { offers: [theirs()], sight: { file } }, undefined],
    [
      'waits for one that is being written',
      { offers: [theirs()], sight: { isUnsettled: true } },
      undefined,
    ],
    [
      'waits for one that was changed and not read',
      {
        entry: ours({ stamp: aFile({ sizeBytes: 7 }).stamp }),
        offers: [theirs({ version: v('here:5,there:1') })],
      },
      undefined,
    ],
    [
      'of a change of ours replaces it',
      { entry: ours(), offers: [theirs({ version: v('here:5,there:1') })] },
      'take a.jpg over',
    ],
    [
      'of what we changed is left alone',
      { entry: ours({ version: v('here:6,there:5') }), offers: [theirs()] },
      undefined,
    ],
    [
      'of the same is left alone',
      {
        entry: ours(),
        offers: [theirs({ ...same, mediaId: ours().mediaId, version: v('here:5') })],
      },
      undefined,
    ],
    [
      'with an older id is left alone',
      {
        entry: ours(),
        offers: [theirs({ ...same, version: v('here:5'), createdAtMs: NOW_MS - 9 * HOUR_MS })],
      },
      undefined,
    ],
    [
      'with a newer id is adopted',
      {
        entry: ours({ createdAtMs: NOW_MS - 2 * HOUR_MS }),
        offers: [theirs({ ...same, version: v('here:5') })],
      },
      'adopt theirs',
    ],
    [
      'with a newer id of another kind is not',
      {
        entry: ours({ createdAtMs: NOW_MS - 2 * HOUR_MS }),
        offers: [theirs({ ...same, kind: 'file', version: v('here:5') })],
      },
      undefined,
    ],
    [
      'of the same bytes, changed there as well, is one with ours',
      { entry: ours(), offers: [theirs({ ...same, mediaId: ours().mediaId })] },
      'adopt id-a.jpg here:5,there:5',
    ],
    [
      'beside ours is kept beside it first',
      { entry: ours(late), offers: [theirs()] },
      `take ${conflictPath(aPath('a.jpg'), theirs().fingerprint)}`,
    ],
    [
      'beside ours is then known',
      { entry: ours(late), offers: [theirs()], copies: [theirs()] },
      'adopt id-a.jpg here:5,there:5',
    ],
    [
      'written later than ours has ours kept first',
      { entry: ours(), offers: [theirs(late)] },
      `take ${conflictPath(aPath('a.jpg'), ours().fingerprint)}`,
    ],
    [
      'written later than ours has the path then',
      { entry: ours(), offers: [theirs(late)], copies: [ours()] },
      'take a.jpg over',
    ],
    [
      'never replaces what has no version',
      { entry: ours({ version: undefined }), offers: [theirs(late)] },
      `take ${conflictPath(aPath('a.jpg'), theirs().fingerprint)}`,
    ],
  ]
  it.each(cases)('%s', (_, scene, expected) => {
    expect(brief(plan(scene), scene.entry)).toBe(expected)
  })
})

function brief(step: Step | undefined, entry: ManifestEntry | undefined): string | undefined {
  if (step?.kind === 'take') return `take ${step.path}${step.over ? ' over' : ''}`
  if (step?.kind !== 'adopt') return step?.kind
  const isNoted = step.entry.version !== entry?.version
  return `adopt ${step.entry.mediaId}${isNoted ? ` ${step.entry.version}` : ''}`
}

it('is renewed later by who adopted it than by who uploaded it, and in time', () => {
  const offer = theirs({ createdAtMs: NOW_MS - 40 * HOUR_MS })
  expect(stepInAtMs(offer)).toBeGreaterThan(offer.renewAtMs ?? 0)
  expect(offer.expiresAtMs - stepInAtMs(offer)).toBeGreaterThanOrEqual(18 * HOUR_MS)
})

/** A host: what it has, and what it heard of the others last. */
interface Host {
  readonly name: string
  readonly has: Map<MediaPath, ManifestEntry>
  readonly heard: Map<string, ReadonlyMap<MediaPath, ManifestEntry>>
}

const stampedFile = (entry: ManifestEntry) => ({
  ...aFile({ path: entry.path }),
  stamp: entry.stamp,
})

function stepsOf({ name, has, heard }: Host): Step[] {
  const offers = [...heard.values()]
  const paths = new Set([...has.keys(), ...offers.flatMap((one) => [...one.keys()])])
  return [...paths].flatMap((path) => {
    const entry = has.get(path)
    const found = offers.flatMap((one) => one.get(path) ?? [])
    const contents = [...found, ...(entry ? [entry] : [])].map(({ fingerprint }) => fingerprint)
    const copies = new Set(
      contents.filter((one) => has.get(conflictPath(path, one))?.fingerprint === one),
    )
    const sight = {
      path,
      entry,
      file: entry && stampedFile(entry),
      isUnsettled: false,
      problem: undefined,
      offered: { offers: found, copies },
    }
    return planOffer(sight, { ...policy, host: name }, NOW_MS) ?? []
  })
}

/** Performs what a pass plans, until it plans nothing; a fault in the decision would go on for ever. */
function settle(host: Host): void {
  for (let round = 0; round < 50; round++) {
    const steps = stepsOf(host)
    if (steps.length === 0) return
    for (const step of steps) if ('entry' in step) host.has.set(step.path, step.entry)
  }
  throw new Error(`${host.name} never comes to rest`)
}

type Act =
  | { kind: 'edit'; host: number; path: string; content: number; at: number }
  | { kind: 'renew'; host: number; path: string; at: number }
  | { kind: 'hear'; host: number; from: number }

const acts = (hosts: number): fc.Arbitrary<Act[]> => {
  const host = fc.nat(hosts - 1)
  const path = fc.constantFrom('a.jpg', 'b/c.png')
  const at = fc.nat(1000)
  return fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('edit' as const), host, path, content: fc.nat(5), at }),
      fc.record({ kind: fc.constant('renew' as const), host, path, at }),
      fc.record({ kind: fc.constant('hear' as const), host, from: host }),
    ),
    { maxLength: 40 },
  )
}

/** A ring for three: each hears of the next one alone. */
it.each([
  ['two hosts', 2],
  ['three hosts in a ring', 3],
])('brings %s to one folder, with every content that had to make way', (_, count) => {
  fc.assert(
    fc.property(acts(count), (deeds) => {
      const hosts = Array.from(
        { length: count },
        (_, at): Host => ({
          name: `h${at}`,
          has: new Map(),
          heard: new Map(),
        }),
      )
      const at = (index: number) => hosts[index % count] as Host
      const next = (index: number) => at(index + 1)
      const hear = (host: Host, from: Host) => void host.heard.set(from.name, new Map(from.has))
      let seconds = 0
      let ids = 0
      for (const deed of deeds) {
        const host = at(deed.host)
        seconds++
        if (deed.kind === 'hear') {
          hear(host, next(deed.host))
          settle(host)
          continue
        }
        const standing = host.has.get(aPath(deed.path))
        const createdAtMs = NOW_MS - HOUR_MS + deed.at * 1000
        const life = {
          createdAtMs,
          expiresAtMs: createdAtMs + 72 * HOUR_MS,
          mediaId: aMediaId(`id${ids++}`),
        }
        if (deed.kind === 'renew') {
          if (standing) host.has.set(standing.path, { ...standing, ...life })
          continue
        }
        const fingerprint = aFingerprint(`content ${deed.content}`)
        if (standing?.fingerprint === fingerprint) continue
        const version = advance(standing?.version, host.name, seconds * 1000)
        const modifiedAtMs = NOW_MS - deed.at
        host.has.set(
          aPath(deed.path),
          anEntry({ path: deed.path, fingerprint, version, modifiedAtMs, ...life }),
        )
      }
      const edited = hosts.flatMap(({ has }) => [...has.values()])
      for (let round = 0; round < 4 * count; round++)
        for (const [index, host] of hosts.entries()) {
          hear(host, next(index))
          settle(host)
        }
      const said = hosts.map(({ has }) =>
        [...has.values()]
          .map(
            ({ path, fingerprint, mediaId, version }) =>
              `${path} ${fingerprint} ${mediaId} ${version}`,
          )
          .sort(),
      )
      for (const one of said) expect(one).toEqual(said[0])
      // Nothing that stood somewhere when the news began to flow is gone, unless it was known to be older.
      const kept = new Set(
        hosts[0] && [...hosts[0].has.values()].map(({ fingerprint }) => fingerprint),
      )
      for (const entry of edited) {
        const others = edited.filter(({ path }) => path === entry.path)
        // The same bytes may have been written twice and given up twice: then only the others together know all of it.
        const rivals = others.filter(({ fingerprint }) => fingerprint !== entry.fingerprint)
        const isOlder =
          others.some((other) => knows(countsOf([other]), entry)) || knows(countsOf(rivals), entry)
        if (!isOlder) expect(kept).toContain(entry.fingerprint)
      }
      for (const host of hosts) expect(stepsOf(host)).toEqual([])
    }),
    { numRuns: 300 },
  )
})

type Counts = ReadonlyMap<string, number>

/** What these entries have seen together, told without the code under test. */
function countsOf(entries: readonly ManifestEntry[]): Counts {
  const counts = new Map<string, number>()
  for (const part of entries.flatMap(({ version }) => version?.split(',') ?? [])) {
    const [host = '', count] = part.split(':')
    counts.set(host, Math.max(counts.get(host) ?? 0, Number(count)))
  }
  return counts
}

/** Whether that is all that the entry has seen, and more. */
function knows(counts: Counts, entry: ManifestEntry): boolean {
  const own = countsOf([entry])
  const hasAll = [...own].every(([host, count]) => (counts.get(host) ?? 0) >= count)
  return hasAll && [...counts].some(([host, count]) => count > (own.get(host) ?? 0))
}

it('keeps the name of a conflict whole characters, and short enough for a directory entry', () => {
  const path = aPath(`d/a${'😀'.repeat(60)}.jpeg`)
  const kept = conflictPath(path, theirs().fingerprint)
  expect(kept.isWellFormed()).toBe(true)
  expect(Buffer.byteLength(kept.slice('d/'.length))).toBeLessThanOrEqual(255)
  expect(kept).toMatch(/ \(conflict [0-9a-f]{8}\)\.jpeg$/)
})
