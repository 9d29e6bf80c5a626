// Whether every promise of a ledger was kept, after a restart and a full pass: by what is on disk, in the manifest and at the
// service, whatever the program says of it. Each judge tells in words what is not as it must be.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ManifestReader } from '../../src/manifest/manifest.ts'
import { readManifest } from '../../src/manifest/read-manifest.ts'
import { MARKER_NAME, type MediaId, type MediaPath } from '../../src/media/media.ts'
import { isTempName } from '../../src/media/temp-name.ts'
import type { SimulatorControls } from '../../src/simulator/controls.ts'
import type { Site } from '../helpers/program.ts'
import type { Told } from '../helpers/receiver.ts'
import { type Accounts, sha256 } from './ledger.ts'
import { judgeTellings } from './tellings.ts'

type Living = ReturnType<SimulatorControls['media']>[number]

export interface Scene {
  readonly manifest: ManifestReader
  /** Fingerprints by path. */
  readonly onDisk: ReadonlyMap<string, string>
  /** What WeCom knows, by id. */
  readonly living: ReadonlyMap<string, Living>
  readonly uploads: ReadonlyMap<string, number>
  /** What a hook for everything was told, in the order in which it heard it. */
  readonly told: readonly Told[]
}

type Judge = (accounts: Accounts, scene: Scene) => AsyncGenerator<string>

const JUDGES: readonly Judge[] = [
  judgeFiles,
  judgeStrangers,
  judgeReferences,
  judgeIds,
  judgeFlushed,
  judgeProblems,
  judgeUploads,
  judgeTellings,
]

/** Everything that is wrong. */
export async function judge(
  accounts: Accounts,
  where: { site: Site; service: SimulatorControls; told: readonly Told[] },
): Promise<string[]> {
  const { site, service, told } = where
  const scene: Scene = {
    manifest: await readManifest({ directory: site.state, corpId: 'ww-test' }),
    onDisk: await readFolder(site.folder),
    living: new Map(service.media().map((medium) => [medium.mediaId, medium])),
    uploads: countUploads(accounts, service),
    told,
  }
  const wrongs: string[] = []
  for (const judgeOne of JUDGES)
    for await (const wrong of judgeOne(accounts, scene)) wrongs.push(wrong)
  return wrongs
}

const entryAt = ({ manifest }: Scene, path: string) => manifest.findEntry(path as MediaPath)
const referenceTo = ({ manifest }: Scene, mediaId: string) =>
  manifest.findReference(mediaId as MediaId)

/** On disk, in the manifest, and alive: the same bytes. What vanished has been restored. */
async function* judgeFiles({ files }: Accounts, scene: Scene) {
  for (const [path, sha] of files) {
    const entry = await entryAt(scene, path)
    if (scene.onDisk.get(path) !== sha) yield `${path} is not on disk as it was written`
    if (entry?.fingerprint !== sha) yield `${path} has no entry of its bytes`
    else if (scene.living.get(entry.mediaId)?.sha256 !== sha)
      yield `${path} has an id that WeCom does not know, or of other bytes: ${entry.mediaId}`
  }
}

async function* judgeStrangers({ files, released }: Accounts, { manifest, onDisk }: Scene) {
  const landed = new Set<string>()
  for await (const { landedPath = '' } of manifest.references()) landed.add(landedPath)
  for (const path of onDisk.keys()) {
    if (files.has(path)) continue
    if (released.get(path) === 'done') yield `${path} was forgotten and deleted, and is back`
    else if (!landed.has(path) && !released.has(path)) yield `${path} came from nowhere`
  }
}

async function* judgeReferences({ references, everReleased }: Accounts, scene: Scene) {
  for await (const { mediaId, state, landedPath = '' } of scene.manifest.references()) {
    if (state !== 'landed') yield `reference ${mediaId} is ${state} after a full pass`
    else if (everReleased.has(landedPath)) continue
    else if (scene.onDisk.get(landedPath) !== references.get(mediaId)?.sha)
      yield `reference ${mediaId} is not what is at ${landedPath}`
  }
  for (const [mediaId, { isPromised }] of references)
    if (isPromised && !(await referenceTo(scene, mediaId)))
      yield `reference ${mediaId} was acknowledged and is not known`
}

/** Whoever was given an id: it lives, and its path has the same one, or a newer one of other bytes. */
async function* judgeIds({ handedOut }: Accounts, scene: Scene) {
  for (const [path, { mediaId, sha }] of handedOut) {
    const then = scene.living.get(mediaId)
    if (then?.sha256 !== sha) yield `${path} was given an id of other bytes, or a dead one`
    const entry = await entryAt(scene, path)
    if (!entry) yield `${path} has lost the id that was handed out`
    else if (entry.mediaId === mediaId) continue
    else if (entry.fingerprint === sha) yield `${path} has another id for the same bytes`
    else if ((scene.living.get(entry.mediaId)?.createdAtMs ?? 0) < (then?.createdAtMs ?? 0))
      yield `${path} has gone back to an older id`
  }
}

async function* judgeFlushed({ flushed, released, files }: Accounts, scene: Scene) {
  for (const { media = {}, references = {} } of flushed) {
    for (const [path, row] of Object.entries(media)) {
      // The folder has gone on meanwhile: only of bytes that are still there the id must be the one that was flushed.
      if (!row || released.has(path) || files.get(path) !== row.sha256) continue
      if ((await entryAt(scene, path))?.mediaId !== row.media_id)
        yield `what was flushed of ${path} is gone`
    }
    for (const mediaId of Object.keys(references))
      if (!(await referenceTo(scene, mediaId)))
        yield `reference ${mediaId} was flushed and is not known`
  }
}

async function* judgeProblems(_: Accounts, { manifest }: Scene) {
  for await (const { path, code } of manifest.problems())
    if (code !== 'FORGOTTEN') yield `${path} has a problem: ${code}`
}

/** A death may cost the receipt of an upload under way, and nothing else is ever uploaded twice. */
async function* judgeUploads(accounts: Accounts, { uploads }: Scene) {
  for (const { sha } of accounts.references.values())
    if (uploads.has(sha)) yield `what was downloaded has been uploaded: ${sha}`
  for (const [sha, count] of uploads) {
    const most = accounts.uploadsAtRest.get(sha) ?? 1 + accounts.deaths
    if (count > most) yield `${sha} was uploaded ${count} times, ${most} would do`
  }
}

/** How often which bytes were uploaded, by fingerprint; without what others put into WeCom. */
export function countUploads(
  { references }: Accounts,
  service: SimulatorControls,
): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { mediaId, sha256: sha } of service.media())
    if (!references.has(mediaId)) counts.set(sha, (counts.get(sha) ?? 0) + 1)
  return counts
}

/** Fingerprints by path, of all that is not the program's own. */
async function readFolder(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.name === MARKER_NAME || isTempName(entry.name)) continue
    const file = join(entry.parentPath, entry.name)
    found.set(file.slice(folder.length + 1), sha256(await readFile(file)))
  }
  return found
}

/** What the program names only while it is not finished, in folder and state directory. */
export async function findTemporaries({ folder, state }: Site): Promise<string[]> {
  const inFolder = await readdir(folder, { recursive: true })
  const inState = await readdir(state)
  return [
    ...inFolder.filter((path) => isTempName(path.slice(path.lastIndexOf('/') + 1))),
    ...inState.filter((name) => /\.(?:tmp|new)$/.test(name)),
  ]
}
