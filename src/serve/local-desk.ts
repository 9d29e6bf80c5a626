// The desk of a process that holds the mirror itself: looking, and acting through passes and queue like everyone else.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FileUnreadable, isSystemError } from '../errors.ts'
import type { Manifest } from '../manifest/manifest.ts'
import {
  createStamp,
  type MediaId,
  type MediaPath,
  type Problem,
  parseMediaId,
  parseMediaPath,
  type Reference,
} from '../media/media.ts'
import { landingPath } from '../plan/step.ts'
import type { Emit, Events } from '../support/events.ts'
import { createTurns, type Turns } from '../support/turns.ts'
import { stepAnswer } from './answers.ts'
import type { Desk, ForgetAnswer } from './desk.ts'
import { readGivenPath } from './given-path.ts'
import { createPull, type PullDeps } from './pull.ts'
import { createReaderDesk, type ReaderDeskDeps } from './reader-desk.ts'

export interface LocalDeskDeps
  extends ReaderDeskDeps,
    Pick<PullDeps, 'arrivals' | 'accept' | 'circuitError'> {
  manifest: Manifest
  events: Events
  /** Somebody asked for the id of this path, which has none that lives. */
  onVainLookUp: (path: MediaPath) => void
  preview: () => Promise<Parameters<typeof stepAnswer>[0][]>
  mirror: Desk['mirror']
  missing: () => Promise<ReadonlySet<MediaPath>>
  /** Other hosts may offer again what is forgotten here: then its content is remembered. */
  remembersForgotten?: boolean
  queue: { withdraw(path: MediaPath): void; whenFree(path: MediaPath): Promise<void> }
  deleteFile: (path: MediaPath) => Promise<void>
  /** Of whoever decides about a reference. */
  referenceTurns?: Turns<MediaId>
}

export function createLocalDesk(deps: LocalDeskDeps): Desk {
  const { manifest, setUp, clock, referenceTurns: turns = createTurns<MediaId>() } = deps
  const emit: Emit = deps.events.emit

  async function forget(
    text: string,
    path: MediaPath | undefined,
    deleteFile: boolean,
  ): Promise<ForgetAnswer> {
    const refuse = (because: string) => ({
      path: text,
      forgotten: false,
      file_deleted: false,
      delete_failed: false,
      because,
    })
    const [entry, problem] = path
      ? [await manifest.findEntry(path), await manifest.findProblem(path)]
      : []
    if (!path || (!entry && !problem)) {
      const isKnownId = await forgetReference(text)
      if (isKnownId) return { ...refuse('a person said so'), forgotten: true }
      return refuse(path ? 'the manifest does not know it' : 'it is no path inside the folder')
    }
    deps.queue.withdraw(path)
    await deps.queue.whenFree(path)
    const found = await look(path)
    const stamp = found?.isFile() ? createStamp(found) : undefined
    // While the file is there, this note keeps it from being uploaded as new; it goes with the file, or when the file changes.
    const note: Problem = {
      path,
      code: 'FORGOTTEN',
      message: `\`${path}\` is not mirrored: it was forgotten at a person's word, until it changes`,
      sinceMs: clock.nowMs(),
      ...(stamp && { stamp }),
      ...(deps.remembersForgotten && entry && { fingerprint: entry.fingerprint }),
    }
    await manifest.commit([
      { kind: 'drop-entry', path },
      stamp || note.fingerprint
        ? { kind: 'put-problem', problem: note }
        : { kind: 'drop-problem', path },
    ])
    const because = 'a person said so'
    emit({ kind: 'forgotten', path, because })
    const kept = found && deleteFile ? await deleteOrSay(path) : undefined
    return {
      path,
      forgotten: true,
      file_deleted: found !== undefined && deleteFile && kept === undefined,
      delete_failed: kept !== undefined,
      because: kept ?? because,
    }
  }

  /** What waits to land is not fetched any more; what was lost is not listed any more. False for what is no such media_id. */
  async function forgetReference(text: string): Promise<boolean> {
    const mediaId = parseMediaId(text)
    const reference = mediaId && (await manifest.findReference(mediaId))
    if (!reference || reference.dismissedAtMs !== undefined) return false
    const waitsAs = landingPath(reference.mediaId, reference.path)
    // A path may wait for something else.
    if (reference.state === 'accepted') {
      deps.queue.withdraw(waitsAs)
      await deps.queue.whenFree(waitsAs)
    }
    return turns.take(mediaId, async () => {
      const standing = await manifest.findReference(mediaId)
      if (standing) await manifest.commit([{ kind: 'put-reference', reference: dismiss(standing) }])
      return standing !== undefined
    })
  }

  /** Kept, since a list may name it for long yet (references/old-references.ts). */
  const dismiss = (reference: Reference): Reference => ({
    ...reference,
    ...(reference.state === 'accepted' && {
      state: 'lost',
      message: `${reference.mediaId} was not fetched: a person dismissed it`,
    }),
    dismissedAtMs: clock.nowMs(),
  })

  /** Resolves with why the file is there still, if it is. */
  async function deleteOrSay(path: MediaPath): Promise<string | undefined> {
    try {
      await deps.deleteFile(path)
      return undefined
    } catch (error) {
      if (!isSystemError(error) && !(error instanceof FileUnreadable)) throw error
      return `it is forgotten, and its file could not be deleted: ${error.message}`
    }
  }

  async function look(path: MediaPath) {
    try {
      return await stat(join(setUp.folder, path))
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
        return undefined
      throw error
    }
  }

  const reader = createReaderDesk(deps)

  return {
    ...reader,
    async lookUp(text) {
      const answer = await reader.lookUp(text)
      const path = answer.kind === 'not-live' ? parseMediaPath(answer.path) : undefined
      if (path) deps.onVainLookUp(path)
      return answer
    },
    plan: async () => (await deps.preview()).map(stepAnswer),
    mirror: deps.mirror,
    pull: createPull({ ...deps, folder: setUp.folder }),
    async forget(paths, { deleteFile, vanished }) {
      const wanted = new Map<string, MediaPath | undefined>()
      for (const text of paths) wanted.set(text, await readGivenPath(text, setUp.folder))
      if (vanished) for (const path of await deps.missing()) wanted.set(path, path)
      const answers: ForgetAnswer[] = []
      for (const [text, path] of wanted) answers.push(await forget(text, path, deleteFile))
      return answers
    },
  }
}
