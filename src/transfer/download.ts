// Answers for media that WeCom has and the folder has not: restoring what is missing, landing what was referred to.
import { lstat, open } from 'node:fs/promises'
import { join } from 'node:path'
import { MediaUnacceptable, WecomRefused } from '../errors.ts'
import type { Change, Manifest } from '../manifest/manifest.ts'
import { chooseKind, type KindPolicy } from '../media/kind.ts'
import {
  createStamp,
  type ManifestEntry,
  type MediaPath,
  parseMediaPath,
  type Reference,
} from '../media/media.ts'
import type { Step } from '../plan/step.ts'
import type { Emit } from '../support/events.ts'
import type { Wecom } from '../wecom/wecom.ts'
import { type Fetched, fetchMedium } from './fetched.ts'
import { fingerprintFile } from './fingerprint.ts'
import { isTaken, numberedPath, placeFile } from './place.ts'
import { localName } from './safe-name.ts'

type RestoreStep = Extract<Step, { kind: 'restore' }>
type LandStep = Extract<Step, { kind: 'land' }>

/** The service's "no such medium": unknown, expired and foreign ids alike (path/96486). */
const DEAD_ID = 40007
/** So many newcomers may share a name before something is wrong. */
const MAX_NUMBER = 1000

export interface DownloadDeps {
  root: string
  wecom: Pick<Wecom, 'download'>
  manifest: Pick<Manifest, 'findEntry' | 'findProblem' | 'commit'>
  kindPolicy: KindPolicy
  lifetimeMs: number
  /** What the folder passes by must not land under such a name: nobody would see it again. */
  isIgnored: (path: string) => boolean
  /** Template of the path for references that name none. */
  inbox: string
  clock: { nowMs(): number }
  emit: Emit
}

/** Performs `restore` and `land` steps: resolves when the file is on disk and the outcome durable. */
export function createDownloader(deps: DownloadDeps) {
  const { root, manifest, clock, emit } = deps

  async function restore(step: RestoreStep, signal: AbortSignal): Promise<void> {
    const { entry, path } = step
    if (await isTaken(root, path)) return
    const startedAtMs = clock.nowMs()
    const wanted = { mediaId: entry.mediaId, directory: root, expectedBytes: entry.sizeBytes }
    const fetched = await fetchMedium(deps.wecom, wanted, signal).catch(asLost)
    if (fetched === 'lost') return reportLost(entry, 'WeCom no longer knows its media_id')
    try {
      requireSameBytes(entry, fetched)
      await fetched.setModifiedAt(entry.modifiedAtMs)
      // Somebody put a file there meanwhile: theirs counts, and the next pass looks at it.
      if (!(await placeFile(root, fetched.file, path))) return
    } finally {
      await fetched.discard()
    }
    const restored = { ...entry, ...(await statOf(path)) }
    await commit([{ kind: 'put-entry', entry: restored }], path)
    emit({ kind: 'restored', entry: restored, tookMs: clock.nowMs() - startedAtMs })
  }

  async function land(step: LandStep, signal: AbortSignal): Promise<void> {
    const { reference } = step
    const startedAtMs = clock.nowMs()
    const fetched = await fetchMedium(
      deps.wecom,
      { mediaId: reference.mediaId, directory: root },
      signal,
    ).catch(asLost)
    if (fetched === 'lost') return reportReferenceLost(reference)
    try {
      const entry = await settleSomewhere(reference, fetched)
      const landed: Reference = { ...reference, state: 'landed', landedPath: entry.path }
      await commit(
        [
          { kind: 'put-entry', entry },
          { kind: 'put-reference', reference: landed },
        ],
        entry.path,
      )
      emit({ kind: 'landed', entry, tookMs: clock.nowMs() - startedAtMs })
    } finally {
      await fetched.discard()
    }
  }

  /** The first free name, or the one where these very bytes already are. */
  async function settleSomewhere(reference: Reference, fetched: Fetched): Promise<ManifestEntry> {
    const wanted = visiblePath(
      reference.path ?? inboxPath(deps.inbox, reference, fetched, clock.nowMs()),
    )
    for (let number = 1; number <= MAX_NUMBER; number++) {
      const path = numberedPath(wanted, number)
      const entry = describe(reference, fetched, path)
      if (await holdsSameBytes(path, fetched)) {
        const known = await manifest.findEntry(path)
        return { ...(known ?? entry), ...(await statOf(path)) }
      }
      if (await isTaken(root, path)) continue
      // The entry comes first: were the file there without it, the next start would upload it as new.
      await manifest.commit([{ kind: 'put-entry', entry }])
      if (await placeFile(root, fetched.file, path)) return { ...entry, ...(await statOf(path)) }
      await manifest.commit([{ kind: 'drop-entry', path }])
    }
    throw new MediaUnacceptable(
      `cannot land ${reference.mediaId}: ${MAX_NUMBER} files already have the name \`${wanted}\``,
    )
  }

  function visiblePath(path: MediaPath): MediaPath {
    if (!deps.isIgnored(path)) return path
    const visible = `${path}.file` as MediaPath
    if (!deps.isIgnored(visible)) return visible
    throw new MediaUnacceptable(`cannot land \`${path}\`: the folder ignores files of that name`, {
      hint: 'Choose another path, or mend `folder.ignore`.',
    })
  }

  function describe(reference: Reference, fetched: Fetched, path: MediaPath): ManifestEntry {
    const { sizeBytes, fingerprint, format } = fetched
    const choice = chooseKind({ path, sizeBytes, format }, deps.kindPolicy)
    // An id of unknown age may die at any moment: it is never handed out as live.
    const createdAtMs = reference.createdAtMs ?? clock.nowMs() - deps.lifetimeMs
    return {
      path,
      mediaId: reference.mediaId,
      kind: 'kind' in choice ? choice.kind : 'file',
      createdAtMs,
      expiresAtMs: createdAtMs + deps.lifetimeMs,
      renewAtMs: undefined,
      sizeBytes,
      modifiedAtMs: clock.nowMs(),
      fingerprint,
      stamp: createStamp({ size: sizeBytes, mtimeMs: 0, ctimeMs: 0 }),
      origin: 'reference',
    }
  }

  async function holdsSameBytes(path: MediaPath, fetched: Fetched): Promise<boolean> {
    if (!(await isTaken(root, path))) return false
    const stat = await lstat(join(root, path))
    if (!stat.isFile() || stat.size !== fetched.sizeBytes) return false
    const handle = await open(join(root, path))
    try {
      return (await fingerprintFile(handle)) === fetched.fingerprint
    } finally {
      await handle.close()
    }
  }

  async function statOf(path: MediaPath) {
    const stat = await lstat(join(root, path))
    return { stamp: createStamp(stat), modifiedAtMs: Math.floor(stat.mtimeMs) }
  }

  async function commit(changes: readonly Change[], path: MediaPath): Promise<void> {
    const hadProblem = await manifest.findProblem(path)
    await manifest.commit(hadProblem ? [...changes, { kind: 'drop-problem', path }] : changes)
    if (hadProblem) emit({ kind: 'problem-solved', path })
  }

  async function reportLost({ path, mediaId }: ManifestEntry, because: string): Promise<void> {
    const message = `cannot restore \`${path}\`: ${because}`
    const problem = { path, code: 'MEDIA_LOST', message, sinceMs: clock.nowMs() } as const
    await manifest.commit([
      { kind: 'drop-entry', path },
      { kind: 'put-problem', problem },
    ])
    emit({ kind: 'lost', path, mediaId, message })
  }

  async function reportReferenceLost(reference: Reference): Promise<void> {
    const message = `cannot fetch ${reference.mediaId}: WeCom does not know it (it expired, or belongs to another corp)`
    await manifest.commit([
      { kind: 'put-reference', reference: { ...reference, state: 'lost', message } },
    ])
    const { mediaId, path = landedNowhere } = reference
    emit({ kind: 'lost', path, mediaId, message })
  }

  return { restore, land, reportLost }
}

/** The path of what never got one. */
const landedNowhere = '' as MediaPath

function asLost(error: unknown): 'lost' {
  if (error instanceof WecomRefused && error.errcode === DEAD_ID) return 'lost'
  throw error
}

function requireSameBytes(entry: ManifestEntry, fetched: Fetched): void {
  if (fetched.fingerprint === entry.fingerprint) return
  throw new MediaUnacceptable(
    `cannot restore \`${entry.path}\`: WeCom returned ${fetched.sizeBytes} bytes that are not the ${entry.sizeBytes} bytes that were uploaded`,
    {
      hint: 'Put the file back from a backup; the mirror does not write what it cannot vouch for.',
    },
  )
}

/** `inbox/{date}/{name}` filled in; what a template does not know is the word "unknown". */
function inboxPath(
  template: string,
  reference: Reference,
  fetched: Fetched,
  nowMs: number,
): MediaPath {
  const { announcedName, contentType, format } = fetched
  const date = new Date(nowMs)
  const two = (value: number) => String(value).padStart(2, '0')
  const values: Record<string, string> = {
    date: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    time: `${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`,
    name: localName(announcedName, { contentType, format, mediaId: reference.mediaId }),
    type: format ?? 'unknown',
    id: reference.mediaId.replaceAll(/[^\w-]/g, '_'),
  }
  const filled = template.replaceAll(/\{(\w+)\}/g, (_, key: string) => values[key] ?? 'unknown')
  const path = parseMediaPath(filled)
  if (path) return path
  throw new MediaUnacceptable(
    `cannot land ${reference.mediaId}: \`${filled}\` is no path inside the folder`,
    {
      hint: 'Mend `references.inbox` in the configuration.',
    },
  )
}
