// Answers for the hooks of a mirror: joined to its manifest, so that what happens is owed to them and told, and how they stand, for
// `status`. What they are made of is hook-set-up.ts; what is told, and when, is hooks/.
import type { Config } from './config/config.ts'
import type { Closers, EngineDeps } from './engine.ts'
import { createHooks, describeTarget } from './hook-set-up.ts'
import { createAnnouncingManifest } from './hooks/announcing-manifest.ts'
import type { HookReport } from './hooks/courier.ts'
import { createDispatcher } from './hooks/dispatcher.ts'
import { renderBody } from './hooks/hook-body.ts'
import type { Manifest, ManifestReader } from './manifest/manifest.ts'
import type { HookAnswer } from './serve/desk.ts'

/** Whoever commits from here on owes the hooks what they want to be told; they are told once the dispatcher is started. */
export async function openHooks(
  config: Config,
  { env, clock, random, events: { emit }, onBug }: EngineDeps,
  parts: { store: Manifest; root: string; serviceClock: { nowMs(): number } },
  closers: Closers,
) {
  const { store, root, serviceClock } = parts
  const warn = (message: string) => emit({ kind: 'warned', message, hint: undefined })
  const hooks = await createHooks(config, { env, clock, warn })
  const dispatcher = createDispatcher({
    manifest: store,
    hooks,
    renderBody: (delivery, attempt) =>
      renderBody(delivery, {
        corpId: config.wecom.corpId,
        folder: root,
        attempt,
        nowMs: serviceClock.nowMs(),
      }),
    clock,
    serviceClock,
    random,
    emit,
    onBug,
  })
  closers.push(() => dispatcher.stop())
  const manifest = createAnnouncingManifest({
    manifest: store,
    hooks,
    clock: serviceClock,
    random,
    lastId: await dispatcher.load(),
    onOwed: dispatcher.take,
  })
  return { manifest, dispatcher }
}

/** How each hook stands; `reports` are those of a running daemon. */
export async function describeHooks(
  { on }: Pick<Config, 'on'>,
  manifest: Pick<ManifestReader, 'deliveries'>,
  reports: readonly HookReport[] = [],
): Promise<HookAnswer[]> {
  const waiting = new Map<string, number>()
  if (on.length > 0)
    for await (const { hook } of manifest.deliveries())
      waiting.set(hook, (waiting.get(hook) ?? 0) + 1)
  return on.map((hook) => {
    const report = reports.find(({ name }) => name === hook.name)
    const sinceMs = report?.failingSinceMs
    return {
      name: hook.name,
      target: describeTarget(hook),
      events: hook.happenings,
      waiting: waiting.get(hook.name) ?? 0,
      delivered: report?.delivered ?? null,
      given_up: report?.givenUp ?? null,
      failing_since: sinceMs === undefined ? null : new Date(sinceMs).toISOString(),
      last_error: report?.lastError ?? null,
    }
  })
}
