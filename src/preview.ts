// Answers for `plan` without a daemon: the steps of a full pass, seen without lock, marker or any other trace.
import type { Config } from './config/config.ts'
import { type MirrorDeps, rehearse } from './daemon.ts'
import { requireBelief } from './engine.ts'
import { readManifest } from './manifest/read-manifest.ts'
import { createPasses } from './pass.ts'
import type { Step } from './plan/step.ts'
import { createFolder } from './watch/folder.ts'
import { createIgnore } from './watch/ignore.ts'
import { resolveFolder } from './watch/marker.ts'

/** The steps that a full pass would take now. */
export async function previewPass(
  config: Config,
  deps: Pick<MirrorDeps, 'env' | 'clock' | 'random'>,
): Promise<Step[]> {
  const { clock, random } = deps
  await rehearse(config, deps)
  const root = await resolveFolder(config.folder.path, config.state)
  const reader = await readManifest({ directory: config.state, corpId: config.wecom.corpId })
  const never = () => Promise.reject(new Error('a preview performs nothing'))
  const folder = createFolder({
    root,
    isMarked: (await reader.markedFolder()) === root,
    settings: config.folder,
    isWatched: false,
    clock,
    emit: () => {},
    random,
    onChange: () => {},
    onRescanned: () => {},
    onBelief: () => {},
    onBug: never,
  })
  const passes = createPasses({
    folder,
    manifest: { ...reader, commit: never, probe: never, close: never },
    queue: () => ({ submit: never }),
    renewals: { take: never },
    perform: never,
    policy: {
      onDelete: config.folder.onDelete,
      lifetimeMs: config.renewal.lifetimeMs,
      renewReferences: config.references.renew,
      isIgnored: createIgnore(config.folder.ignore),
      host: '',
    },
    clock,
    isOutage: () => false,
    emit: () => {},
    onBug: never,
  })
  try {
    await folder.start()
    requireBelief(folder)
    return await passes.preview()
  } finally {
    await folder.stop()
  }
}
