import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deadlineMs } from '../../src/media/lifetime.ts'
import type { Reference } from '../../src/media/media.ts'
import {
  type Lane,
  laneOf,
  nextUploadLane,
  rankOf,
  type UploadDemand,
  type UploadLane,
} from '../../src/plan/renewal-order.ts'
import type { Step } from '../../src/plan/step.ts'
import {
  aFile,
  anEntry,
  aPath,
  aReference,
  HOUR_MS,
  NOW_MS,
  THREE_DAYS,
} from '../helpers/builders.ts'

const renewal = (ageHours: number): Step => {
  const file = aFile({ path: `${ageHours}h` })
  const entry = anEntry({ of: file, ageHours })
  return { kind: 'renew', path: file.path, file, entry, isEarly: false }
}
const upload = (changedAtMs: number): Step => {
  const file = aFile({ path: `${changedAtMs}`, changedAtMs })
  return { kind: 'upload', path: file.path, file, because: 'new' }
}
const inOrder = (steps: Step[]) =>
  [...steps].sort((a, b) => rankOf(a, NOW_MS) - rankOf(b, NOW_MS)).map((s) => s.path)

it('takes the living by their deadline, and the dead in a lane of their own, the youngest first', () => {
  const ages = [80, 50, 100, 70, 60, 73]
  const inLane = (lane: Lane) =>
    inOrder(ages.map(renewal).filter((step) => laneOf(step, NOW_MS) === lane))
  expect(inLane('renewal')).toEqual(['70h', '60h', '50h'])
  expect(inLane('expired')).toEqual(['73h', '80h', '100h'])
})

it('takes what was asked for in vain before everything else that is dead, the latest wish first', () => {
  const asked = new Map([
    ['100h', NOW_MS - 5],
    ['80h', NOW_MS - 9],
  ])
  const steps = [73, 80, 90, 100].map(renewal)
  const rank = (step: Step) => rankOf(step, NOW_MS, (path) => asked.get(path))
  expect(steps.sort((a, b) => rank(a) - rank(b)).map((step) => step.path)).toEqual([
    '100h',
    '80h',
    '73h',
    '90h',
  ])
})

it('takes the file that changed last first, so that a newcomer is not behind a bulk', () => {
  const newest = upload(NOW_MS)
  const bulk = [1, 2, 3].map((hours) => upload(NOW_MS - hours * HOUR_MS))
  expect(inOrder([...bulk, newest])[0]).toBe(newest.path)
})

it('takes downloads by the death of their ids, whether referred to or restored', () => {
  const land = (path: string, about: Partial<Reference>): Step => {
    const reference = aReference({ mediaId: path, ...about })
    const expiresAtMs = deadlineMs(reference, THREE_DAYS.lifetimeMs)
    return { kind: 'land', path: aPath(path), reference, expiresAtMs }
  }
  const restore = (path: string, ageHours: number): Step => {
    const entry = anEntry({ path, ageHours })
    return { kind: 'restore', path: entry.path, entry }
  }
  const steps = [
    land('of unknown age, new', { acceptedAtMs: NOW_MS }),
    land('old', { acceptedAtMs: NOW_MS, createdAtMs: NOW_MS - 60 * HOUR_MS }),
    land('of unknown age, waiting', { acceptedAtMs: NOW_MS - 20 * HOUR_MS }),
    restore('nearly dead', 71),
    restore('young', 1),
  ]
  expect(inOrder(steps)).toEqual([
    'nearly dead',
    'old',
    'of unknown age, waiting',
    'young',
    'of unknown age, new',
  ])
})

describe('the next upload slot', () => {
  const none = { renewal: 0, expired: 0, fresh: 0 }
  const demand = (about: Partial<UploadDemand>): UploadDemand => ({
    slots: 4,
    waiting: none,
    running: none,
    pressure: 0,
    isEmergency: false,
    latest: [],
    ...about,
  })
  const bothWait = { renewal: 9, expired: 0, fresh: 9 }
  const cases: [string, Partial<UploadDemand>, ReturnType<typeof nextUploadLane>][] = [
    ['is nobody’s while nobody waits', {}, undefined],
    [
      'is not there while all are taken',
      { waiting: bothWait, running: { ...none, fresh: 4 } },
      undefined,
    ],
    ['goes to a renewal while none runs', { waiting: bothWait }, 'renewal'],
    [
      'goes to new files once renewals have what they need',
      { waiting: bothWait, running: { ...none, renewal: 1 } },
      'fresh',
    ],
    [
      'goes to renewals while the deaths ask for more',
      { waiting: bothWait, running: { ...none, renewal: 1 }, pressure: 0.4 },
      'renewal',
    ],
    [
      'stays with new files when all but one are renewals',
      { waiting: bothWait, running: { ...none, renewal: 3 }, pressure: 5 },
      'fresh',
    ],
    [
      'goes to renewals in an emergency, up to all but one',
      { waiting: bothWait, running: { ...none, renewal: 2 }, isEmergency: true },
      'renewal',
    ],
    [
      'goes to renewals alone when nobody else waits',
      { waiting: { ...none, renewal: 9 }, running: { ...none, renewal: 3 } },
      'renewal',
    ],
    [
      'goes to the dead when nothing else waits',
      { waiting: { ...none, expired: 9 }, pressure: 9 },
      'expired',
    ],
    [
      'is not given to the dead while the living need nearly all',
      {
        waiting: { ...bothWait, expired: 9, fresh: 0 },
        running: { ...none, renewal: 3 },
        pressure: 0.75,
      },
      'renewal',
    ],
    ...[1, 2].map((slots): [string, Partial<UploadDemand>, UploadLane] => [
      `is not given to the dead while the living need half, where there are ${slots}`,
      {
        slots,
        waiting: { ...bothWait, expired: 9, fresh: 0 },
        running: { ...none, renewal: slots - 1 },
        pressure: 0.5,
        latest: ['renewal'],
      },
      'renewal',
    ]),
    [
      'is shared by the dead and new files in turn',
      { waiting: { ...none, expired: 9, fresh: 9 }, latest: ['fresh'] },
      'expired',
    ],
    [
      'goes round when there is only one',
      { slots: 1, waiting: bothWait, latest: ['renewal'] },
      'fresh',
    ],
    [
      'comes back when there is only one',
      { slots: 1, waiting: bothWait, latest: ['fresh'], pressure: 9 },
      'renewal',
    ],
  ]
  it.each(cases)('%s', (_, about, expected) => {
    expect(nextUploadLane(demand(about))).toBe(expected)
  })

  it('never leaves a slot free that somebody could use, and never starves new files or the living', () => {
    const count = fc.integer({ min: 0, max: 20 })
    const perLane = fc.record({ renewal: count, expired: count, fresh: count })
    const anyDemand = fc.record({
      slots: fc.integer({ min: 1, max: 16 }),
      waiting: perLane,
      pressure: fc.double({ min: 0, max: 3, noNaN: true }),
      isEmergency: fc.boolean(),
    })
    fc.assert(
      fc.property(anyDemand, (about) => {
        // Every transfer takes as long as every other, and the queues never run dry: who gets how many of many turns?
        const turns = { renewal: 0, expired: 0, fresh: 0 }
        const running = { ...none }
        const waits = Object.values(about.waiting).some((number) => number > 0)
        const order: (keyof typeof none)[] = []
        let latest: UploadLane[] = []
        for (let turn = 0; turn < 400; turn++) {
          const lane = nextUploadLane({ ...about, running, latest })
          if (lane === undefined) {
            expect(waits ? order.length : about.slots).toBe(about.slots)
            const ended = order.shift()
            if (ended === undefined) break
            running[ended]--
            continue
          }
          expect(about.waiting[lane]).toBeGreaterThan(0)
          turns[lane]++
          running[lane]++
          order.push(lane)
          latest = [lane, ...latest.filter((other) => other !== lane)]
        }
        if (waits) expect(turns.renewal + turns.expired + turns.fresh).toBeGreaterThan(150)
        if (about.waiting.fresh > 0) expect(turns.fresh).toBeGreaterThan(5)
        if (about.waiting.renewal > 0) expect(turns.renewal).toBeGreaterThan(5)
        const calmBelow = about.slots < 3 ? 0.5 : about.slots === 3 ? 2 / 3 : 0.75
        const mayRevive = about.waiting.renewal === 0 || about.pressure < calmBelow
        if (about.waiting.expired > 0 && mayRevive) expect(turns.expired).toBeGreaterThan(5)
        // The living before the dead.
        if (about.waiting.renewal > 0 && about.waiting.fresh === 0 && about.slots > 1)
          expect(turns.renewal).toBeGreaterThanOrEqual(turns.expired - 1)
      }),
    )
  })
})
