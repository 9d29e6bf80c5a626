// The desk of a process that holds the mirror itself: looking, and acting through passes and queue like everyone else.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FileUnreadable, isSystemError, type MirrorError } from '../errors.ts'
import type { Manifest } from '../manifest/manifest.ts'
import {
  createStamp,
  type MediaId,
  type MediaPath,
  type Problem,
  parseMediaId,
  parseMediaPath,
  type Reference,
  type WantedReference,
} from '../media/media.ts'
import { landingPath } from '../plan/step.ts'
import type { Emit, Events, MirrorEvent } from '../support/events.ts'
import { failureAnswer, referenceAnswer, stepAnswer } from './answers.ts'
import type { Desk, ForgetAnswer, PullAnswer } from './desk.ts'
import { readGivenPath } from './given-path.ts'
import { createReaderDesk, type ReaderDeskDeps } from './reader-desk.ts'

export interface LocalDeskDeps extends ReaderDeskDeps {
  manifest: Manifest
  events: Events
  /** Somebody asked for the id of this path, which has none that lives. */
  onVainLookUp: (path: MediaPath) => void
  preview: () => Promise<Parameters<typeof stepAnswer>[0][]>
  mirror: Desk['mirror']
  missing: () => Promise<ReadonlySet<MediaPath>>
  /** Makes the reference durable, also one that was known, and has it landed. */
  accept: (wanted: WantedReference) => Promise<unknown>
  circuitError: () => MirrorError | undefined
  queue: { withdraw(path: MediaPath): void; whenFree(path: MediaPath): Promise<void> }
  deleteFile: (path: MediaPath) => Promise<void>
}

export function createLocalDesk(deps: LocalDeskDeps): Desk {
  const { manifest, setUp, clock, events } = deps
  const emit: Emit = events.emit

  async function pull(
    id: string,
    text: string | undefined,
    signal: AbortSignal,
  ): Promise<PullAnswer> {
    const mediaId = parseMediaId(id)
    if (!mediaId) return { kind: 'refused', because: `\`${id}\` cannot be a media_id` }
    const path = text === undefined ? undefined : await readGivenPath(text, setUp.folder)
    if (text !== undefined && !path)
      return { kind: 'refused', because: `\`${text}\` is no path inside the folder` }
    const known = await manifest.findReference(mediaId)
    if (known && (await isOnDisk(known)) && (path === undefined || path === known.landedPath))
      return { kind: 'landed', reference: referenceAnswer(known) }
    const error = await landOrHeldUp({ mediaId, ...(path && { path }) }, signal)
    const now = await manifest.findReference(mediaId)
    if (!now) throw new Error(`${mediaId} was accepted and is not known`)
    if (now.state !== 'accepted') return { kind: now.state, reference: referenceAnswer(now) }
    if (error)
      return { kind: 'accepted', reference: referenceAnswer(now), because: failureAnswer(error) }
    throw new Error(`${mediaId} neither landed nor failed`)
  }

  const isOnDisk = async ({ state, landedPath }: Reference): Promise<boolean> =>
    state === 'landed' && landedPath !== undefined && (await look(landedPath)) !== undefined

  /** Commits the reference; resolves with what holds it up, or with nothing when it has landed or is lost. */
  async function landOrHeldUp(
    wanted: WantedReference,
    signal: AbortSignal,
  ): Promise<MirrorError | undefined> {
    const { mediaId, path } = wanted
    const waitsAs = landingPath(mediaId, path)
    // It only ever resolves: nobody may be left to hear of it when the commit fails or the circuit answers.
    const landing = Promise.withResolvers<MirrorError | undefined>()
    const onAbort = () => landing.resolve(undefined)
    signal.addEventListener('abort', onAbort)
    // Before the commit: a landing that is quicker than this function is heard all the same.
    const unsubscribe = events.subscribe((event) => {
      const answer = landingAnswer(event, mediaId, waitsAs)
      if (answer) landing.resolve(answer.error)
    })
    try {
      signal.throwIfAborted()
      await deps.accept(wanted)
      const error = deps.circuitError() ?? (await landing.promise)
      signal.throwIfAborted()
      return error
    } finally {
      unsubscribe()
      signal.removeEventListener('abort', onAbort)
    }
  }

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
    if (!path) return refuse('it is no path inside the folder')
    const [entry, problem] = [await manifest.findEntry(path), await manifest.findProblem(path)]
    if (!entry && !problem) return refuse('the manifest does not know this path')
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
    }
    await manifest.commit([
      { kind: 'drop-entry', path },
      stamp ? { kind: 'put-problem', problem: note } : { kind: 'drop-problem', path },
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
    pull,
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

function landingAnswer(
  event: MirrorEvent,
  mediaId: MediaId,
  waitsAs: MediaPath,
): { error?: MirrorError } | undefined {
  switch (event.kind) {
    case 'landed':
      return event.entry.mediaId === mediaId ? {} : undefined
    case 'lost':
      return event.mediaId === mediaId ? {} : undefined
    case 'step-postponed':
      return event.path === waitsAs ? { error: event.error } : undefined
    case 'circuit-opened':
      return { error: event.error }
    default:
      return undefined
  }
}
