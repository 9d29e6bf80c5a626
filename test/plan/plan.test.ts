import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type FileFacts,
  type ManifestEntry,
  type MediaPath,
  type Problem,
  stampOfNoFile,
} from '../../src/media/media.ts'
import { type PassFacts, type PlanPolicy, planPass, type Sight } from '../../src/plan/plan.ts'
import type { Step } from '../../src/plan/step.ts'
import {
  aFile,
  aMediaId,
  anEntry,
  aPath,
  aProblem,
  aReference,
  HOUR_MS,
  NOW_MS,
  THREE_DAYS,
} from '../helpers/builders.ts'

interface World {
  files?: FileFacts[]
  entries?: ManifestEntry[]
  problems?: Problem[]
  references?: ReturnType<typeof aReference>[]
  unsettled?: string[]
  believed?: boolean
  newSizes?: number[]
  early?: string[]
  policy?: Partial<PlanPolicy>
}

function sights({ files = [], entries = [], problems = [], unsettled = [] }: World): Sight[] {
  const known = [...files, ...entries, ...problems].map(({ path }) => path)
  return [...new Set([...known, ...unsettled.map(aPath)])].map((path) => ({
    path,
    file: files.find((file) => file.path === path),
    isUnsettled: unsettled.some((text) => text === path),
    entry: entries.find((entry) => entry.path === path),
    problem: problems.find((problem) => problem.path === path),
  }))
}

const facts = (world: World): PassFacts => ({
  folder: { believed: world.believed ?? true, newSizes: new Set(world.newSizes ?? []) },
  sights: sights(world),
  references: world.references ?? [],
  landing: new Set(
    (world.references ?? [])
      .filter(({ state }) => state === 'accepted')
      .map(({ mediaId }) => mediaId),
  ),
  early: new Set((world.early ?? []).map(aPath)),
  policy: {
    onDelete: 'restore',
    lifetimeMs: THREE_DAYS.lifetimeMs,
    renewReferences: false,
    actOnMissing: true,
    wantedBack: new Set(),
    judgeAgain: false,
    isIgnored: (path) => path.startsWith('ignored/'),
    host: 'here',
    ...world.policy,
  },
})

const inShort = (steps: Step[]) =>
  steps.map((step) => `${step.kind}${'because' in step ? ` ${step.because}` : ''}`)

describe('planPass', () => {
  const old = aFile({ modifiedAtMs: NOW_MS - 9 * HOUR_MS })
  const cases: [string, World, string[]][] = [
    ['uploads a file that the manifest does not know', { files: [aFile()] }, ['upload new']],
    ['leaves a file alone whose entry is fresh', { files: [aFile()], entries: [anEntry()] }, []],
    [
      "uploads a file whose stamp is not its entry's",
      { files: [aFile()], entries: [anEntry({ of: old })] },
      ['upload changed'],
    ],
    ['renews what is due', { files: [aFile()], entries: [anEntry({ ageHours: 49 })] }, ['renew']],
    [
      'renews early what it is told to, and nothing else',
      {
        files: [aFile(), aFile({ path: 'b.jpg' })],
        entries: [anEntry(), anEntry({ path: 'b.jpg' })],
        early: ['a.jpg'],
      },
      ['renew'],
    ],
    [
      'never renews a landed reference that is not kept alive, early or not',
      {
        files: [aFile()],
        entries: [anEntry({ ageHours: 60, origin: 'reference' })],
        early: ['a.jpg'],
      },
      [],
    ],
    [
      'renews what is dead already',
      { files: [aFile()], entries: [anEntry({ ageHours: 100 })] },
      ['renew'],
    ],
    ['restores a missing file while its id lives', { entries: [anEntry()] }, ['restore']],
    [
      'restores a missing file that is due, and renews it later',
      { entries: [anEntry({ ageHours: 60 })] },
      ['restore'],
    ],
    [
      'reports as lost what is missing and expired',
      { entries: [anEntry({ ageHours: 73 })] },
      ['report-lost'],
    ],
    [
      'leaves missing files alone outside of restore ticks',
      { entries: [anEntry()], policy: { actOnMissing: false } },
      [],
    ],
    [
      'forgets a deleted file when told to',
      { entries: [anEntry()], policy: { onDelete: 'forget' } },
      ['forget the file was deleted'],
    ],
    [
      'does not take for deleted what was written down ahead of its file, which never came',
      {
        entries: [{ ...anEntry(), stamp: stampOfNoFile(anEntry().sizeBytes) }],
        policy: { onDelete: 'forget' },
      },
      ['restore'],
    ],
    [
      'drops the problem of a file that was out of reach and is back as it was',
      {
        files: [old],
        entries: [anEntry({ of: old, ageHours: 1 })],
        problems: [aProblem({ path: old.path, code: 'FILE_UNREADABLE' })],
      },
      ['drop-problem'],
    ],
    [
      'restores what a person wants back, whatever is done with missing files otherwise',
      {
        entries: [anEntry()],
        policy: { onDelete: 'forget', actOnMissing: false, wantedBack: new Set([anEntry().path]) },
      },
      ['restore'],
    ],
    [
      'waits with a missing file while a new one of its size may be it',
      { entries: [anEntry()], newSizes: [1000] },
      [],
    ],
    [
      'does not wait for new files of other sizes',
      { entries: [anEntry()], newSizes: [999] },
      ['restore'],
    ],
    [
      'does not take a file that is being written for a missing one',
      { entries: [anEntry()], unsettled: ['a.jpg'] },
      [],
    ],
    [
      'does nothing about a folder that is not believed',
      { believed: false, files: [aFile({ path: 'b' })], entries: [anEntry()] },
      [],
    ],
    [
      'does not try an unacceptable file again',
      { files: [aFile()], problems: [aProblem({ stamp: aFile().stamp })] },
      [],
    ],
    [
      'tries an unacceptable file again when it changes',
      { files: [aFile()], problems: [aProblem({ stamp: old.stamp })] },
      ['upload new'],
    ],
    [
      'tries an unreadable file again as it is',
      { files: [aFile()], problems: [aProblem({ code: 'FILE_UNREADABLE', stamp: aFile().stamp })] },
      ['upload new'],
    ],
    [
      'judges an unacceptable file anew at start, when limits and rules may be others',
      {
        files: [aFile()],
        problems: [aProblem({ stamp: aFile().stamp })],
        policy: { judgeAgain: true },
      },
      ['upload new'],
    ],
    [
      'does not offer again at once what WeCom refused to renew',
      {
        files: [aFile()],
        entries: [anEntry({ ageHours: 50 })],
        problems: [aProblem({ code: 'MEDIA_REFUSED', stamp: aFile().stamp, sinceMs: NOW_MS - 1 })],
      },
      [],
    ],
    [
      'offers it again after as long as it was refused, since WeCom took it once',
      {
        files: [aFile()],
        entries: [anEntry({ ageHours: 50 })],
        problems: [
          aProblem({
            code: 'MEDIA_REFUSED',
            stamp: aFile().stamp,
            sinceMs: NOW_MS - 4 * HOUR_MS,
            triedAtMs: NOW_MS - 2 * HOUR_MS,
          }),
        ],
      },
      ['renew'],
    ],
    [
      'and not before that',
      {
        files: [aFile()],
        entries: [anEntry({ ageHours: 50 })],
        problems: [
          aProblem({
            code: 'MEDIA_REFUSED',
            stamp: aFile().stamp,
            sinceMs: NOW_MS - 4.1 * HOUR_MS,
            triedAtMs: NOW_MS - 2 * HOUR_MS,
          }),
        ],
      },
      [],
    ],
    [
      'offers it again after half an hour at first',
      {
        files: [aFile()],
        entries: [anEntry({ ageHours: 50 })],
        problems: [
          aProblem({ code: 'MEDIA_REFUSED', stamp: aFile().stamp, sinceMs: NOW_MS - HOUR_MS / 2 }),
        ],
      },
      ['renew'],
    ],
    [
      'does not offer again what WeCom never took',
      {
        files: [aFile()],
        problems: [aProblem({ code: 'MEDIA_REFUSED', stamp: aFile().stamp, sinceMs: 0 })],
      },
      [],
    ],
    [
      'does not restore on every tick what failed for good',
      { entries: [anEntry()], problems: [aProblem()] },
      [],
    ],
    [
      'reports it as lost all the same when its id is dead',
      { entries: [anEntry({ ageHours: 73 })], problems: [aProblem()] },
      ['report-lost'],
    ],
    [
      'drops the entry of what the folder ignores now, though the file may be there',
      { entries: [anEntry({ path: 'ignored/a.jpg' })] },
      ['forget the folder ignores it now'],
    ],
    [
      'drops the problem of a file that is gone',
      { problems: [aProblem({ stamp: old.stamp })] },
      ['drop-problem'],
    ],
    [
      'keeps a problem that was not found in a file',
      { problems: [aProblem({ code: 'MEDIA_LOST' })] },
      [],
    ],
    ['lands an accepted reference', { references: [aReference()] }, ['land']],
    [
      'leaves the entry that a landing wrote ahead of its file to that landing',
      {
        entries: [
          anEntry({ origin: 'reference', mediaId: aMediaId('ref-1') }),
          anEntry({ path: 'b.jpg', origin: 'reference', mediaId: aMediaId('ref-2'), ageHours: 99 }),
        ],
        references: [aReference(), aReference({ mediaId: 'ref-2' })],
      },
      ['land', 'land'],
    ],
    [
      'restores a file of the folder although somebody refers to its id',
      {
        entries: [anEntry({ mediaId: aMediaId('ref-1') })],
        references: [aReference({ path: aPath('other.jpg') })],
      },
      ['restore', 'land'],
    ],
    [
      'leaves landed and lost references alone',
      { references: [aReference({ state: 'landed' }), aReference({ state: 'lost' })] },
      [],
    ],
    [
      'does not renew what was downloaded',
      { files: [aFile()], entries: [anEntry({ ageHours: 60, origin: 'reference' })] },
      [],
    ],
    [
      'renews what was downloaded when told to keep it alive',
      {
        files: [aFile()],
        entries: [anEntry({ origin: 'reference', renewAtMs: undefined })],
        policy: { renewReferences: true },
      },
      ['renew'],
    ],
    [
      'forgets what had landed, was removed and is dead, without a word of loss',
      { entries: [anEntry({ ageHours: 80, origin: 'reference' })] },
      ['forget it had landed, was removed, and its media_id is dead'],
    ],
  ]
  it.each(cases)('%s', (_, world, expected) => {
    expect(inShort(planPass(facts(world), NOW_MS))).toEqual(expected)
  })

  it('sees what is due the moment it becomes due, after a leap of the clock as well', () => {
    const world = facts({ files: [aFile()], entries: [anEntry({ ageHours: 0 })] })
    const dueAtMs = NOW_MS + THREE_DAYS.lifetimeMs - THREE_DAYS.beforeMs
    expect(planPass(world, dueAtMs - 1)).toEqual([])
    expect(inShort(planPass(world, dueAtMs))).toEqual(['renew'])
    expect(inShort(planPass(world, dueAtMs + 24 * HOUR_MS))).toEqual(['renew'])
    expect(planPass(world, NOW_MS - HOUR_MS)).toEqual([])
  })
})

describe('planPass, for any world', () => {
  const paths = ['a', 'b', 'dir/c', '中文.png'].map(aPath)
  const anyPath = fc.constantFrom(...paths)
  const anyFile = fc
    .record({
      path: anyPath,
      sizeBytes: fc.integer({ min: 0, max: 3 }),
      modifiedAtMs: fc.constantFrom(NOW_MS, NOW_MS - 1),
    })
    .map(aFile)
  const anyEntry = fc
    .record({
      of: anyFile,
      ageHours: fc.integer({ min: -30, max: 100 }),
      origin: fc.constantFrom('folder' as const, 'reference' as const),
    })
    .map(anEntry)
  const anyProblem = fc
    .record({
      path: anyPath,
      code: fc.constantFrom('MEDIA_UNACCEPTABLE' as const, 'MEDIA_LOST' as const),
      file: fc.option(anyFile, { nil: undefined }),
    })
    .map(({ path, code, file }) => aProblem({ path, code, ...(file && { stamp: file.stamp }) }))
  const unique = <T extends { path: MediaPath }>(arbitrary: fc.Arbitrary<T>) =>
    fc.uniqueArray(arbitrary, { selector: (thing) => thing.path })
  const anyWorld = fc.record({
    files: unique(anyFile),
    entries: unique(anyEntry),
    problems: unique(anyProblem),
    references: fc.uniqueArray(
      fc
        .record({
          mediaId: fc.constantFrom('r1', 'r2'),
          path: fc.option(anyPath, { nil: undefined }),
        })
        .map(({ mediaId, path }) => aReference({ mediaId, ...(path && { path }) })),
      { selector: (reference) => reference.mediaId },
    ),
    believed: fc.boolean(),
    policy: fc.record({
      onDelete: fc.constantFrom('restore' as const, 'forget' as const),
      renewReferences: fc.boolean(),
      actOnMissing: fc.boolean(),
    }),
  })

  /** The world after every step has succeeded, as the transfer stage would leave it. */
  function finish(world: World, steps: Step[]): World {
    const files = new Map((world.files ?? []).map((file) => [file.path, file]))
    const entries = new Map((world.entries ?? []).map((entry) => [entry.path, entry]))
    const problems = new Map((world.problems ?? []).map((problem) => [problem.path, problem]))
    let references = world.references ?? []
    for (const step of steps) {
      if (step.kind === 'upload' || step.kind === 'renew') {
        entries.set(step.path, anEntry({ of: step.file, ageHours: 0 }))
        problems.delete(step.path)
      }
      if (step.kind === 'restore') {
        const file = aFile({
          path: step.path,
          sizeBytes: step.entry.sizeBytes,
          modifiedAtMs: NOW_MS - 7,
        })
        files.set(step.path, file)
        entries.set(step.path, { ...step.entry, stamp: file.stamp })
        problems.delete(step.path)
      }
      if (step.kind === 'land') {
        references = references.map((reference) =>
          reference === step.reference ? { ...reference, state: 'landed' } : reference,
        )
      }
      if (step.kind === 'forget' || step.kind === 'report-lost') entries.delete(step.path)
      if (step.kind === 'report-lost')
        problems.set(step.path, aProblem({ path: step.path, code: 'MEDIA_LOST' }))
      if (step.kind === 'drop-problem') problems.delete(step.path)
    }
    return {
      ...world,
      files: [...files.values()],
      entries: [...entries.values()],
      problems: [...problems.values()],
      references,
    }
  }

  it('never plans two steps for one path', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const planned = planPass(facts(world), NOW_MS).map((step) => step.path)
        expect(new Set(planned).size).toBe(planned.length)
      }),
    )
  })

  it('comes to rest: passes that succeed leave nothing to plan', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        let current: World = world
        // One path may need several passes, never many: a problem dropped, its file restored, renewed, and two landings.
        for (let pass = 0; pass < 5; pass++)
          current = finish(current, planPass(facts(current), NOW_MS))
        expect(planPass(facts(current), NOW_MS)).toEqual([])
      }),
    )
  })

  it('takes no step on a folder that is not believed', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        expect(planPass(facts({ ...world, believed: false }), NOW_MS)).toEqual([])
      }),
    )
  })

  it('changes nothing that it was given', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const before = structuredClone(world)
        planPass(facts(world), NOW_MS)
        expect(world).toEqual(before)
      }),
    )
  })
})
