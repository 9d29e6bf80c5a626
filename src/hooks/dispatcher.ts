// Answers for who is told: each delivery goes to the courier of its hook, those of earlier runs first. No hook waits for another.
import { isUnwritable } from '../errors.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { Delivery } from '../media/delivery.ts'
import { type CourierDeps, createCourier, type HookReport } from './courier.ts'
import type { Hook } from './hook.ts'

export interface DispatcherDeps extends CourierDeps {
  readonly manifest: Pick<Manifest, 'findDelivery' | 'deliveries' | 'commit'>
  readonly hooks: readonly Hook[]
}

export interface Dispatcher {
  /** Takes in what is owed from before; what is owed to hooks that are no more is dropped. Resolves with the last id. */
  load(): Promise<string | undefined>
  /** What is durable by now, in order. */
  take(deliveries: readonly Delivery[]): void
  start(): void
  /** Ends what is under way; what was not told stays for the next start. */
  stop(): Promise<void>
  report(): readonly HookReport[]
}

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { manifest } = deps
  const couriers = new Map(deps.hooks.map((hook) => [hook.name, createCourier(hook, deps)]))

  async function load() {
    const unknown: Delivery[] = []
    let last: string | undefined
    for await (const delivery of manifest.deliveries()) {
      last = delivery.id
      const courier = couriers.get(delivery.hook)
      if (courier) courier.put(delivery)
      else unknown.push(delivery)
    }
    for (const [name, owed] of Map.groupBy(unknown, ({ hook }) => hook)) await renounce(name, owed)
    return last
  }

  async function renounce(name: string, owed: readonly Delivery[]) {
    deps.emit({
      kind: 'warned',
      message: `${owed.length} deliveries to the hook \`${name}\` are given up: it is not in the configuration any more`,
      hint: undefined,
    })
    await manifest
      .commit(owed.map(({ id }) => ({ kind: 'drop-delivery', id })))
      .catch((error: unknown) => {
        // A full disk: they are met again at the next start.
        if (!isUnwritable(error)) throw error
      })
  }

  return {
    load,
    take(deliveries) {
      for (const delivery of deliveries) couriers.get(delivery.hook)?.put(delivery)
      for (const name of new Set(deliveries.map(({ hook }) => hook))) couriers.get(name)?.go()
    },
    start() {
      for (const courier of couriers.values()) courier.start()
    },
    async stop() {
      await Promise.all([...couriers.values()].map((courier) => courier.stop()))
    },
    report: () => [...couriers.values()].map((courier) => courier.report()),
  }
}
