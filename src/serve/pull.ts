// Answers for `pull`: references that somebody waits for, each told as soon as it is decided. Not for landing them, which is a pass's
// part: they go side by side, as many at once as there are slots.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { MirrorError } from '../errors.ts'
import type { ManifestReader } from '../manifest/manifest.ts'
import {
  directoryOf,
  type MediaId,
  type MediaPath,
  parseMediaId,
  type Reference,
  type WantedReference,
} from '../media/media.ts'
import { landingPath } from '../plan/step.ts'
import type { Arrivals } from '../support/arrivals.ts'
import type { Events, MirrorEvent } from '../support/events.ts'
import { failureAnswer, referenceAnswer } from './answers.ts'
import type { Desk, PullAnswer, PullTold } from './desk.ts'
import { type GivenTarget, readGivenTarget } from './given-path.ts'
import { createPullProgress } from './pull-progress.ts'

export interface PullDeps {
  readonly manifest: Pick<ManifestReader, 'findReference'>
  readonly folder: string
  readonly clock: { nowMs(): number }
  readonly events: Pick<Events, 'subscribe'>
  readonly arrivals: Pick<Arrivals, 'watch'>
  /** Makes the reference durable, also one that was known, and has it landed. */
  readonly accept: (wanted: WantedReference) => Promise<unknown>
  readonly circuitError: () => MirrorError | undefined
}

export function createPull(deps: PullDeps): Desk['pull'] {
  const { manifest, folder } = deps

  return async function pull({ mediaIds, to, isHd }, tell, signal) {
    const ids = [...new Set(mediaIds)]
    const target = to === undefined ? {} : await readGivenTarget(to, folder)
    const progress = createPullProgress(deps, ids.length, (now) => tell({ progress: now }))
    const landings = createLandings(deps, signal)
    const answer = (one: PullAnswer) => {
      tell({ answer: one })
      progress.decided(one)
    }
    try {
      await Promise.all(
        ids.map(async (id) => {
          const wanted = readWish(id, ids.length > 1, to, target)
          if (typeof wanted === 'string')
            return answer({ kind: 'refused', media_id: id, because: wanted })
          answer(await pullOne({ ...wanted, ...(isHd && { isHd }) }, landings, tell))
        }),
      )
    } finally {
      progress.stop()
      landings.stop()
    }
  }

  async function pullOne(
    wanted: WantedReference,
    landings: ReturnType<typeof createLandings>,
    tell: (told: PullTold) => void,
  ): Promise<PullAnswer> {
    const { mediaId } = wanted
    const known = await manifest.findReference(mediaId)
    if (known && isAsWanted(known, wanted) && (await isOnDisk(known)))
      return { kind: 'landed', media_id: mediaId, reference: referenceAnswer(known) }
    const error = await landings.landOrHeldUp(wanted, () => {
      const reference = { ...wanted, acceptedAtMs: deps.clock.nowMs(), state: 'accepted' } as const
      tell({ accepted: referenceAnswer(reference) })
    })
    const now = await manifest.findReference(mediaId)
    if (!now) throw new Error(`${mediaId} was accepted and is not known`)
    const about = { media_id: mediaId, reference: referenceAnswer(now) }
    if (now.state !== 'accepted') return { kind: now.state, ...about }
    if (error) return { kind: 'accepted', ...about, because: failureAnswer(error) }
    throw new Error(`${mediaId} neither landed nor failed`)
  }

  async function isOnDisk({ landedPath }: Reference): Promise<boolean> {
    if (landedPath === undefined) return false
    try {
      await stat(join(folder, landedPath))
      return true
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
      throw error
    }
  }
}

/** What is wanted for one id, or why that cannot be. */
function readWish(
  id: string,
  isOneOfMany: boolean,
  to: string | undefined,
  target: GivenTarget | Record<never, never> | undefined,
): WantedReference | string {
  const mediaId = parseMediaId(id)
  if (!mediaId) return `\`${id}\` cannot be a media_id`
  if (!target) return `\`${to}\` is no path inside the folder`
  if (isOneOfMany && 'path' in target)
    return `several media cannot land at the one path \`${to}\`: name a directory, or one to be made, with a slash at its end`
  return { mediaId, ...target }
}

/** It has landed already, where it is wanted now. */
const isAsWanted = (
  { state, landedPath, isHd }: Reference,
  { path, into, isHd: wantsHd }: WantedReference,
): boolean =>
  state === 'landed' &&
  landedPath !== undefined &&
  isHd === wantsHd &&
  (path === undefined || path === landedPath) &&
  (into === undefined || into === directoryOf(landedPath))

/** All that one caller waits for, heard with one pair of ears. */
function createLandings(
  { events, accept, circuitError }: Pick<PullDeps, 'events' | 'accept' | 'circuitError'>,
  signal: AbortSignal,
) {
  type Resolve = (error: MirrorError | undefined) => void
  const byId = new Map<MediaId, Resolve>()
  const byPath = new Map<MediaPath, Resolve>()
  const tellAll: Resolve = (error) => {
    for (const resolve of byId.values()) resolve(error)
  }
  const onAbort = () => tellAll(undefined)
  signal.addEventListener('abort', onAbort)
  const unsubscribe = events.subscribe((event: MirrorEvent) => {
    if (event.kind === 'landed') byId.get(event.entry.mediaId)?.(undefined)
    else if (event.kind === 'lost') byId.get(event.mediaId)?.(undefined)
    else if (event.kind === 'step-postponed') byPath.get(event.path)?.(event.error)
    else if (event.kind === 'circuit-opened') tellAll(event.error)
  })

  return {
    /** Commits the reference; resolves with what holds it up, or with nothing when it has landed or is lost. */
    async landOrHeldUp(
      wanted: WantedReference,
      onAccepted: () => void,
    ): Promise<MirrorError | undefined> {
      const { mediaId, path } = wanted
      const waitsAs = landingPath(mediaId, path)
      // It only ever resolves: nobody may be left to hear of it when the commit fails or the circuit answers.
      const landing = Promise.withResolvers<MirrorError | undefined>()
      signal.throwIfAborted()
      // Before the commit: a landing that is quicker than this function is heard all the same.
      byId.set(mediaId, landing.resolve)
      byPath.set(waitsAs, landing.resolve)
      try {
        await accept(wanted)
        onAccepted()
        const error = circuitError() ?? (await landing.promise)
        signal.throwIfAborted()
        return error
      } finally {
        byId.delete(mediaId)
        byPath.delete(waitsAs)
      }
    },
    stop() {
      unsubscribe()
      signal.removeEventListener('abort', onAbort)
    },
  }
}
