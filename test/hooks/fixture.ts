// A hook that does what a test says, owed what a test commits: the announcing manifest and the dispatcher joined as in the program.
import { onTestFinished } from 'vitest'
import { createAnnouncingManifest } from '../../src/hooks/announcing-manifest.ts'
import { createDispatcher } from '../../src/hooks/dispatcher.ts'
import type { Hook, Refusal } from '../../src/hooks/hook.ts'
import type { Manifest } from '../../src/manifest/manifest.ts'
import { HAPPENINGS } from '../../src/media/delivery.ts'
import { createEvents, type MirrorEvent } from '../../src/support/events.ts'
import { aMediaId, anEntry } from '../helpers/builders.ts'
import { createFakeClock, type FakeClock } from '../helpers/fake-clock.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'

export const DOWN: Refusal = { because: 'it is down' }

interface Wish {
  hook?: Partial<Hook>
  /** Further hooks. */
  others?: readonly Hook[]
  store?: Manifest
  clock?: FakeClock
  mostWaiting?: number
}

export const aHook = (wish: Partial<Hook> = {}): Hook => ({
  name: 'tell',
  happenings: HAPPENINGS,
  matches: () => true,
  target: 'run tell',
  tell: async () => undefined,
  timeoutMs: 10_000,
  giveUpAfterMs: 24 * 3_600_000,
  concurrency: 4,
  ...wish,
})

/** Bodies are `ID HAPPENING PATH ATTEMPT`; every one that the hook was given is kept. */
export async function openHooks(wish: Wish = {}) {
  const { store = createMemoryManifest(), clock = createFakeClock() } = wish
  const heard: { id: string; what: string; attempt: number }[] = []
  const behaviour: { tell: Hook['tell'] } = { tell: wish.hook?.tell ?? (async () => undefined) }
  const tell: Hook['tell'] = (body, signal) => {
    const [id = '', happening, path, mediaId, attempt] = String(body).split(' ')
    heard.push({ id, what: `${happening} ${path} ${mediaId}`, attempt: Number(attempt) })
    return behaviour.tell(body, signal)
  }
  const hooks = [aHook({ ...wish.hook, tell }), ...(wish.others ?? [])]
  const events = createEvents()
  const told: MirrorEvent[] = []
  events.subscribe((event) => told.push(event))
  const bugs: unknown[] = []
  const dispatcher = createDispatcher({
    manifest: store,
    hooks,
    renderBody: ({ id, happening, path, mediaId }, attempt) =>
      Buffer.from([id, happening, path, mediaId, attempt].join(' ')),
    clock,
    serviceClock: clock,
    random: () => 1,
    emit: events.emit,
    onBug: (error) => bugs.push(error),
    ...(wish.mostWaiting === undefined ? {} : { mostWaiting: wish.mostWaiting }),
  })
  const manifest = createAnnouncingManifest({
    manifest: store,
    hooks,
    clock,
    random: Math.random,
    lastId: await dispatcher.load(),
    onOwed: dispatcher.take,
  })
  onTestFinished(async () => {
    await dispatcher.stop()
    if (bugs.length > 0) throw new AggregateError(bugs)
  })
  return {
    store,
    clock,
    manifest,
    dispatcher,
    heard,
    behaviour,
    whats: () => heard.map(({ what }) => what),
    /** The path has this id from now on. */
    give: (path: string, mediaId: string) =>
      manifest.commit([
        { kind: 'put-entry', entry: anEntry({ path, mediaId: aMediaId(mediaId) }) },
      ]),
    tellings: <K extends MirrorEvent['kind']>(kind: K) =>
      told.filter((event): event is Extract<MirrorEvent, { kind: K }> => event.kind === kind),
    report: () => dispatcher.report()[0],
    async owed() {
      const ids: string[] = []
      for await (const { id } of store.deliveries()) ids.push(id)
      return ids
    },
  }
}
