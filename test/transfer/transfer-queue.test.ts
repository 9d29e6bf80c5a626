import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Step } from '../../src/plan/step.ts'
import { createStepHeap } from '../../src/transfer/step-heap.ts'
import { createTransferQueue } from '../../src/transfer/transfer-queue.ts'
import { aFile, anEntry, aPath, HOUR_MS, NOW_MS } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'

const upload = (path: string, changedAtMs = NOW_MS): Step => {
  const file = aFile({ path, changedAtMs })
  return { kind: 'upload', path: file.path, file, because: 'new' }
}
const renewal = (path: string, ageHours = 60): Step => {
  const file = aFile({ path })
  const entry = anEntry({ of: file, ageHours })
  return { kind: 'renew', path: file.path, file, entry, isEarly: false }
}
const restore = (path: string): Step => ({
  kind: 'restore',
  path: aPath(path),
  entry: anEntry({ path }),
})
const forgetting = (path: string): Step => ({ kind: 'forget', path: aPath(path), because: 'gone' })

/** A queue whose steps end when the test says so. */
function aQueue({
  uploads = 2,
  downloads = 1,
  pressure = 0,
  admits = (): boolean => true,
  isProbing = (): boolean => false,
  waitMs = (_: 'uploads' | 'downloads'): number => 0,
  random = (): number => 0,
  askedAtMs = (_: string): number | undefined => undefined,
} = {}) {
  const clock = createFakeClock(NOW_MS)
  const started: string[] = []
  const overlaps: string[] = []
  const endings = new Map<string, () => void>()
  const queue = createTransferQueue({
    perform: (step, signal) =>
      new Promise((resolve) => {
        started.push(`${step.kind} ${step.path}`)
        endings.set(step.path, resolve)
        signal.addEventListener('abort', () => resolve())
      }),
    onOverlap: (path) => overlaps.push(path),
    admits: () => admits(),
    isProbing: () => isProbing(),
    random,
    slots: () => ({ uploads, downloads }),
    pressure: () => pressure,
    askedAtMs,
    clock,
    after: clock.after,
    waitMs: (direction) => waitMs(direction),
  })
  const end = async (path: string) => {
    endings.get(path)?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { queue, clock, started, overlaps, end }
}

describe('transfer queue', () => {
  it('starts no more uploads and downloads than it has slots', () => {
    const { queue, started } = aQueue({ uploads: 2, downloads: 1 })
    queue.submit([upload('a'), upload('b'), upload('c'), restore('d'), restore('e')], NOW_MS)
    expect(started).toEqual(['upload a', 'upload b', 'restore d'])
    expect(queue.load().waiting).toBe(2)
  })

  it('starts a newcomer before the rest of a bulk', async () => {
    const { queue, started, end } = aQueue({ uploads: 1 })
    queue.submit(
      ['a', 'b', 'c'].map((path) => upload(path, NOW_MS - 1000)),
      NOW_MS,
    )
    queue.submit([upload('newcomer', NOW_MS)], NOW_MS)
    await end('a')
    expect(started).toEqual(['upload a', 'upload newcomer'])
  })

  it('keeps a slot for renewals in a bulk of new files, and for new files in a wave of renewals', async () => {
    const bulk = aQueue({ uploads: 2 })
    bulk.queue.submit(
      ['a', 'b', 'c'].map((path) => upload(path)),
      NOW_MS,
    )
    bulk.queue.submit([renewal('r')], NOW_MS)
    await bulk.end('a')
    expect(bulk.started.at(-1)).toBe('renew r')

    const wave = aQueue({ uploads: 2 })
    wave.queue.submit(
      ['r', 's', 't'].map((path) => renewal(path)),
      NOW_MS,
    )
    wave.queue.submit([upload('a')], NOW_MS)
    await wave.end('r')
    expect(wave.started.at(-1)).toBe('upload a')
  })

  it('moves what died while it waited behind what still lives', async () => {
    const late = aQueue({ uploads: 1, pressure: 1 })
    late.queue.submit([renewal('busy', 71.5), renewal('dying', 71), renewal('living', 50)], NOW_MS)
    late.clock.leap(2 * HOUR_MS)
    for (const path of ['busy', 'living', 'dying']) await late.end(path)
    expect(late.started).toEqual(['renew busy', 'renew living', 'renew dying'])
  })

  it('takes back the living that a clock a day ahead took for dead, the next to die first', async () => {
    let open = false
    const { queue, clock, started, end } = aQueue({ uploads: 1, pressure: 1, admits: () => open })
    clock.leap(24 * HOUR_MS)
    const ages = [50, 70, 60]
    queue.submit(
      ages.map((age) => renewal(`${age}h`, age)),
      clock.nowMs(),
    )
    clock.leap(-24 * HOUR_MS)
    open = true
    queue.wake()
    await end('70h')
    await end('60h')
    expect(started).toEqual(['renew 70h', 'renew 60h', 'renew 50h'])
  })

  it('moves ten thousand dead without keeping the event loop for all of them', async () => {
    const { queue, clock, started } = aQueue({ uploads: 2, admits: () => started.length === 0 })
    const paths = Array.from({ length: 10_000 }, (_, n) => `${n}`)
    queue.submit([renewal('busy', 1), ...paths.map((path) => renewal(path, 60))], NOW_MS)
    clock.leap(20 * HOUR_MS)
    queue.wake()
    expect(clock.pendingTimers()).toBe(1)
    await clock.advance(10)
    expect(clock.pendingTimers()).toBe(0)
    expect(queue.load().waiting).toBe(10_000)
    await queue.stop(new Error('stopping'))
  })

  it('does not revive the dead while the living need all of the rate, and does so beside them when they do not', async () => {
    const steps = () => [renewal('old', 80), ...['r', 's', 't', 'u'].map((path) => renewal(path))]
    const pressed = aQueue({ uploads: 2, pressure: 1 })
    pressed.queue.submit(steps(), NOW_MS)
    await pressed.end('r')
    await pressed.end('s')
    expect(pressed.started).not.toContain('renew old')
    const calm = aQueue({ uploads: 2, pressure: 0.3 })
    calm.queue.submit(steps(), NOW_MS)
    expect(calm.started).toContain('renew old')
  })

  it('revives first what somebody asked for in vain', async () => {
    const asked: Record<string, number> = { b: NOW_MS }
    const { queue, started, end } = aQueue({ uploads: 1, askedAtMs: (path) => asked[path] })
    queue.submit([renewal('x', 74), renewal('a', 80), renewal('b', 90)], NOW_MS)
    await end('x')
    await end('b')
    expect(started).toEqual(['renew b', 'renew x'])
  })

  it('knows what waits and what is in flight', () => {
    const { queue } = aQueue({ uploads: 1 })
    queue.submit([renewal('a'), renewal('b'), upload('c')], NOW_MS)
    expect(['a', 'b', 'c', 'd'].filter((path) => queue.has(aPath(path)))).toEqual(['a', 'b', 'c'])
    expect(queue.load()).toMatchObject({ waiting: 2, waitingRenewals: 1, waitingDead: 0 })
    queue.submit([renewal('dead', 80)], NOW_MS)
    expect(queue.load()).toMatchObject({ waiting: 3, waitingRenewals: 2, waitingDead: 1 })
  })

  it('counts the new files that wait, each once, and only while it waits', async () => {
    const { queue, end } = aQueue({ uploads: 1 })
    const { sizeBytes } = aFile()
    const waitingNew = () => queue.load().waitingNew
    queue.submit([renewal('a'), upload('b'), upload('c'), upload('d')], NOW_MS)
    queue.submit([upload('b')], NOW_MS)
    expect(waitingNew()).toEqual({ count: 3, sizeBytes: 3 * sizeBytes })
    queue.withdraw(aPath('c'))
    expect(waitingNew().count).toBe(2)
    await end('a')
    expect(waitingNew()).toEqual({ count: 1, sizeBytes })
  })

  it('has at most one step of a path in flight, and asks for another look when one was submitted meanwhile', async () => {
    const { queue, started, overlaps, end } = aQueue()
    queue.submit([upload('a')], NOW_MS)
    queue.submit([renewal('a')], NOW_MS)
    expect(started).toEqual(['upload a'])
    await end('a')
    expect(overlaps).toEqual(['a'])
    expect(started).toEqual(['upload a'])
  })

  it('replaces a waiting step of the same path, also in another lane', async () => {
    const { queue, started, end } = aQueue({ uploads: 1 })
    queue.submit([upload('busy'), upload('a')], NOW_MS)
    queue.submit([restore('a')], NOW_MS)
    expect(started).toContain('restore a')
    await end('busy')
    expect(started).not.toContain('upload a')
  })

  it('starts nothing that needs WeCom while it is not admitted, and goes on when woken', () => {
    let open = false
    const { queue, started } = aQueue({ admits: () => open })
    queue.submit([upload('a'), restore('b'), forgetting('c')], NOW_MS)
    expect(started).toEqual(['forget c'])
    open = true
    queue.wake()
    expect(started).toEqual(['forget c', 'upload a', 'restore b'])
  })

  it('probes with any step and not with the most urgent, so that one bad file cannot hold up all others', () => {
    const draws = [0.9, 0.6]
    let isOpen = true
    const { queue, started } = aQueue({
      admits: () => isOpen && !(isOpen = false),
      isProbing: () => true,
      random: () => draws.shift() ?? 0,
    })
    // Three lanes have something to call for: the draw falls on the last of them, and there on the second of two.
    queue.submit([renewal('bad', 71), upload('a'), restore('b'), restore('c')], NOW_MS)
    expect(started).toEqual(['restore c'])
  })

  it('chooses what goes when the quota has room, not before it waits', async () => {
    let freeAtMs = 40_000
    const { queue, clock, started } = aQueue({
      uploads: 1,
      waitMs: (direction): number =>
        direction === 'uploads' ? Math.max(0, freeAtMs - clock.monotonicMs()) : 0,
    })
    queue.submit([renewal('a', 50), restore('r')], NOW_MS)
    expect(started).toEqual(['restore r'])
    await clock.advance(30_000)
    queue.submit([renewal('urgent', 60)], NOW_MS)
    await clock.advance(10_000)
    expect(started).toEqual(['restore r', 'renew urgent'])
    freeAtMs = 0
    await queue.stop(new Error('stopping'))
    expect(clock.pendingTimers()).toBe(0)
  })

  it('is idle when nothing waits and nothing is in flight', async () => {
    const { queue, end } = aQueue({ uploads: 1 })
    queue.submit([upload('a'), upload('b')], NOW_MS)
    let idle = false
    const waiting = queue.idle().then(() => (idle = true))
    await end('a')
    expect(idle).toBe(false)
    await end('b')
    await waiting
    expect(idle).toBe(true)
  })

  it('stops: drops what waits, aborts what is in flight, takes nothing new', async () => {
    const { queue, started } = aQueue({ uploads: 1 })
    queue.submit([upload('a'), upload('b')], NOW_MS)
    await queue.stop(new Error('stopping'))
    queue.submit([upload('c')], NOW_MS)
    expect(started).toEqual(['upload a'])
    expect(queue.load()).toEqual({
      waiting: 0,
      waitingRenewals: 0,
      waitingDead: 0,
      waitingNew: { count: 0, sizeBytes: 0 },
      inFlight: [],
    })
  })

  it('withdraws what waits and tells when what is in flight has ended', async () => {
    const { queue, end, started } = aQueue({ uploads: 1 })
    queue.submit([upload('a'), upload('b')], NOW_MS)
    queue.withdraw(aPath('b'))
    const free = queue.whenFree(aPath('a'))
    await end('a')
    await free
    expect(started).toEqual(['upload a'])
  })
})

describe('step heap', () => {
  it('gives back what was put in, by rank and then in order of arrival, whatever is replaced or dropped', () => {
    const anyMove = fc.oneof(
      fc.record({
        put: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
        rank: fc.integer({ min: 0, max: 4 }),
      }),
      fc.record({ drop: fc.constantFrom('a', 'b', 'c', 'd', 'e') }),
      fc.constant({ take: true as const }),
    )
    fc.assert(
      fc.property(fc.array(anyMove, { maxLength: 60 }), (moves) => {
        const heap = createStepHeap('lane')
        const places = new Map<string, ReturnType<typeof heap.put>>()
        const drop = (path: string) => {
          const place = places.get(path)
          if (place) heap.drop(place)
        }
        let model: { path: string; rank: number }[] = []
        for (const move of moves) {
          if ('put' in move) {
            model = [
              ...model.filter(({ path }) => path !== move.put),
              { path: move.put, rank: move.rank },
            ]
            drop(move.put)
            places.set(move.put, heap.put(upload(move.put), move.rank))
          } else if ('drop' in move) {
            model = model.filter(({ path }) => path !== move.drop)
            drop(move.drop)
          } else {
            const first = model.reduce<(typeof model)[0] | undefined>(
              (best, item) => (!best || item.rank < best.rank ? item : best),
              undefined,
            )
            model = model.filter((item) => item !== first)
            expect(heap.take()?.path).toBe(first?.path)
          }
          expect(heap.size()).toBe(model.length)
        }
      }),
    )
  })
})
