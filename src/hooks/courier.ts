// Answers for telling one hook what it is owed: at least once, in order per path, some at a time, until it is given up. What is owed
// stands in the manifest until it has been told; here are only ids.
import { isUnwritable } from '../errors.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { Delivery } from '../media/delivery.ts'
import type { Clock, Timer } from '../support/clock.ts'
import type { Emit } from '../support/events.ts'
import { seconds } from '../support/span-text.ts'
import type { Hook, Refusal } from './hook.ts'
import { createHookQueue, type Waiting } from './hook-queue.ts'

/** So many may wait for one hook: some 12 MB of memory. Beyond that the oldest are given up, for the newest ids are worth most. */
const MOST_WAITING = 10_000

export interface CourierDeps {
  readonly manifest: Pick<Manifest, 'findDelivery' | 'commit'>
  readonly renderBody: (delivery: Delivery, attempt: number) => Buffer
  readonly clock: Pick<Clock, 'after' | 'monotonicMs'>
  /** On which things happened. */
  readonly serviceClock: { nowMs(): number }
  readonly random: () => number
  readonly emit: Emit
  readonly onBug: (error: unknown) => void
  readonly mostWaiting?: number
}

/** What became of the deliveries to one hook, since the daemon began. */
export interface HookReport {
  readonly name: string
  readonly waiting: number
  readonly delivered: number
  readonly givenUp: number
  /** On the service's clock; undefined when all is well. */
  readonly failingSinceMs: number | undefined
  readonly lastError: string | undefined
}

export interface Courier {
  /** Owed, and durable by now; in order. */
  put(delivery: Delivery): void
  /** Tells what may be told now, and from now on by itself, once it is started. */
  go(): void
  start(): void
  /** Ends what is under way; what was not told is owed still. */
  stop(): Promise<void>
  report(): HookReport
}

const STOPPING = new Error('the mirror is stopping')
const TIMED_OUT = new Error('no end within the time')
const TIMEOUT_HINT = "Raise the hook's `timeout`, or make it answer sooner."

export function createCourier(hook: Hook, deps: CourierDeps): Courier {
  const { manifest, clock, serviceClock, emit, mostWaiting = MOST_WAITING } = deps
  const queue = createHookQueue({ concurrency: hook.concurrency, random: deps.random })
  const stopping = new AbortController()
  const underWay = new Set<Promise<void>>()
  /** Told, and not yet dropped from the manifest, whose disk did not take it. */
  const told = new Set<string>()
  let timer: Timer | undefined
  let isStarted = false
  let [delivered, givenUp] = [0, 0]
  let trouble: { readonly sinceMs: number; lastError: string } | undefined
  /** That something was given up is an error once, until all is well again. */
  let isLossTold = false

  function go() {
    shed()
    timer?.cancel()
    timer = undefined
    if (!isStarted || stopping.signal.aborted) return
    const nowMs = clock.monotonicMs()
    for (let next = queue.take(nowMs); next; next = queue.take(nowMs))
      follow(perform(next.waiting, next.attempt))
    const atMs = queue.nextAtMs(nowMs)
    if (atMs !== undefined) timer = clock.after(Math.max(0, atMs - nowMs), go)
  }

  /** Who stops waits for it: what it writes must not come after the manifest is closed. */
  function follow(work: Promise<void>) {
    const followed = work.catch(deps.onBug).finally(() => underWay.delete(followed))
    underWay.add(followed)
  }

  async function perform(waiting: Waiting, attempt: number): Promise<void> {
    const delivery = await manifest.findDelivery(waiting.id)
    const refusal = delivery && (await tellOnce(delivery, attempt))
    if (refusal === 'stopping') return queue.putBack(waiting)
    if (refusal) await takeFailure(waiting, refusal)
    else await takeSuccess(waiting, delivery, attempt)
    go()
  }

  async function tellOnce(delivery: Delivery, attempt: number): Promise<Refusal | 'stopping'> {
    if (told.has(delivery.id)) return undefined
    if (stopping.signal.aborted) return 'stopping'
    const ending = new AbortController()
    const onStop = () => ending.abort(STOPPING)
    stopping.signal.addEventListener('abort', onStop)
    const limit = clock.after(hook.timeoutMs, () => ending.abort(TIMED_OUT))
    try {
      const refusal = await hook.tell(deps.renderBody(delivery, attempt), ending.signal)
      // What was told all the same, at the last moment, is told.
      if (refusal === undefined || !ending.signal.aborted) return refusal
      if (ending.signal.reason === STOPPING) return 'stopping'
      return { because: `no end after ${seconds(hook.timeoutMs)}`, hint: TIMEOUT_HINT }
    } finally {
      limit.cancel()
      stopping.signal.removeEventListener('abort', onStop)
    }
  }

  /** Its lane goes on when that it was told is durable: a crash repeats at most what was under way, and nothing before that. */
  async function takeSuccess(waiting: Waiting, delivery: Delivery | undefined, attempt: number) {
    told.add(waiting.id)
    if (!(await drop([waiting]))) return queue.failed(waiting, clock.monotonicMs())
    told.delete(waiting.id)
    queue.done(waiting)
    delivered++
    if (delivery) emit({ kind: 'hook-told', hook: hook.name, delivery, attempt })
    if (queue.isFailing()) return
    isLossTold = false
    if (trouble) recover(trouble.sinceMs)
  }

  function recover(sinceMs: number) {
    trouble = undefined
    const forMs = serviceClock.nowMs() - sinceMs
    emit({ kind: 'hook-recovered', hook: hook.name, forMs, waiting: queue.count() })
  }

  async function takeFailure(waiting: Waiting, { because, hint }: NonNullable<Refusal>) {
    queue.failed(waiting, clock.monotonicMs())
    const nowMs = serviceClock.nowMs()
    const isNews = trouble === undefined && queue.isFailing()
    if (isNews) trouble = { sinceMs: nowMs, lastError: because }
    if (trouble) trouble.lastError = because
    const { name, target, giveUpAfterMs } = hook
    const waits = queue.count()
    emit({ kind: 'hook-failed', hook: name, target, because, hint, waiting: waits, isNews })
    const old = queue.giveUp((atMs) => nowMs - atMs >= giveUpAfterMs)
    await giveUp(old, `they could not be told within ${seconds(giveUpAfterMs)}: ${because}`)
    // Nothing that fails is left: the next one finds out for itself how the hook is.
    if (!queue.isFailing()) trouble = undefined
  }

  /** What cannot be dropped, since the disk is full, is owed again after the next start: at least once is what was promised. */
  async function giveUp(lost: readonly Waiting[], because: string) {
    if (lost.length === 0) return
    givenUp += lost.length
    emit({
      kind: 'hook-gave-up',
      hook: hook.name,
      count: lost.length,
      because,
      isNews: !isLossTold,
    })
    isLossTold = true
    await drop(lost)
  }

  function shed() {
    const lost: Waiting[] = []
    while (queue.count() > mostWaiting) {
      const oldest = queue.dropOldest()
      if (!oldest) break
      lost.push(oldest)
    }
    if (lost.length > 0)
      follow(giveUp(lost, `more than ${mostWaiting} wait, and the oldest make way`))
  }

  /** False when the disk does not take it. */
  async function drop(waiting: readonly Waiting[]): Promise<boolean> {
    try {
      await manifest.commit(waiting.map(({ id }) => ({ kind: 'drop-delivery', id })))
      return true
    } catch (error) {
      if (!isUnwritable(error)) throw error
      return false
    }
  }

  return {
    put: ({ id, path, mediaId, atMs }) => queue.put({ id, lane: path ?? `\0${mediaId}`, atMs }),
    go,
    start() {
      isStarted = true
      go()
    },
    async stop() {
      stopping.abort(STOPPING)
      timer?.cancel()
      while (underWay.size > 0) await Promise.all(underWay)
    },
    report: () => ({
      name: hook.name,
      waiting: queue.count(),
      delivered,
      givenUp,
      failingSinceMs: trouble?.sinceMs,
      lastError: trouble?.lastError,
    }),
  }
}
