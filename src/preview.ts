// Answers for `plan` without a daemon: the steps of a full pass, seen without lock, marker or any other trace. What reference files say
// is read as well; what they name counts as accepted, and nobody remembers it.
import type { Config } from './config/config.ts'
import { parseYaml } from './config/yaml-document.ts'
import { type MirrorDeps, rehearse } from './daemon.ts'
import { createOwnFiles, requireBelief } from './engine.ts'
import type { Change, ManifestReader } from './manifest/manifest.ts'
import { readEntries } from './manifest/read-entries.ts'
import { readManifest } from './manifest/read-manifest.ts'
import type { MediaId, Reference } from './media/media.ts'
import { createPasses } from './pass.ts'
import type { Step } from './plan/step.ts'
import { createAcceptance } from './references/acceptance.ts'
import { createReferenceFiles } from './references/reference-files.ts'
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
  const manifest = createImagined(reader)
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
  const referenceFiles = await createImaginedFiles(config, deps, manifest)
  const passes = createPasses({
    folder,
    manifest: { ...manifest, commit: never, probe: never, close: never },
    offers: referenceFiles.offers,
    queue: () => ({ submit: never }),
    renewals: { take: never },
    perform: never,
    policy: {
      onDelete: config.folder.onDelete,
      lifetimeMs: config.renewal.lifetimeMs,
      renewReferences: config.references.renew,
      isIgnored: createIgnore(config.folder.ignore),
      // It is in no sentence about a step.
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
    await referenceFiles.look()
    return await passes.preview()
  } finally {
    await folder.stop()
  }
}

/** The manifest as it would be with references that are taken in now. */
function createImagined(reader: ManifestReader) {
  const accepted = new Map<MediaId, Reference>()
  return {
    ...reader,
    findReference: async (mediaId: MediaId) =>
      accepted.get(mediaId) ?? (await reader.findReference(mediaId)),
    async *references() {
      for await (const reference of reader.references())
        if (!accepted.has(reference.mediaId)) yield reference
      yield* accepted.values()
    },
    async commit(changes: readonly Change[]) {
      for (const change of changes)
        if (change.kind === 'put-reference')
          accepted.set(change.reference.mediaId, change.reference)
    },
  }
}

async function createImaginedFiles(
  { references, folder, state, wecom: { corpId } }: Config,
  { clock }: Pick<MirrorDeps, 'clock'>,
  manifest: ReturnType<typeof createImagined>,
) {
  const silent = { clock, emit: () => {} }
  const { accept } = createAcceptance({ ...silent, manifest, requestLanding: () => {} })
  return createReferenceFiles({
    ...silent,
    patterns: references.files,
    settleMs: folder.settleMs,
    readPlaced: parseYaml,
    readEntries: (bytes, file) => readEntries(bytes, { corpId, file }),
    isOwn: await createOwnFiles(state),
    accept,
    onOffers: () => {},
    // Only who looks again and again asks for it.
    onBug: (error) => {
      throw error
    },
  })
}
