// Answers for reading a state without its lock, beside a daemon that may be writing it: nothing is touched, and what is
// returned is what was acknowledged at one moment of the reading. Not for waiting until something changes.
import { ManifestUnreadable } from '../errors.ts'
import { createContentsReader } from './contents-reader.ts'
import { DOCUMENT, diskFiles, type Files, inDirectory } from './files.ts'
import { loadState, type State } from './load.ts'
import type { ManifestReader } from './manifest.ts'
import type { StateLocation } from './reading.ts'

/** A document that is replaced while it is read is small, or it would take longer to be replaced again. */
const MAX_ATTEMPTS = 20

/** The manifest in a state directory, as it is now; one that is not there is empty. */
export async function readManifest(options: {
  readonly directory: string
  readonly corpId: string
  readonly files?: Files
}): Promise<ManifestReader> {
  const { directory, corpId, files = diskFiles } = options
  const { contents } = await loadUndisturbed({ files, directory, corpId })
  return createContentsReader(() => contents)
}

/** The journals of a document are kept until the second document after it, so only a replacement can mislead. */
async function loadUndisturbed(location: StateLocation): Promise<State> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const before = await documentIdentity(location)
    const state = await loadState(location).catch((error: unknown) => error)
    const isUndisturbed = before === (await documentIdentity(location))
    if (!isUndisturbed) continue
    if (state instanceof Error) throw state
    return state as State
  }
  throw new ManifestUnreadable(
    `cannot read the manifest in \`${location.directory}\`: it was replaced ${MAX_ATTEMPTS} times while it was read`,
    { hint: 'try again, or ask the daemon over its HTTP interface' },
  )
}

async function documentIdentity({ files, directory }: StateLocation): Promise<string | undefined> {
  try {
    const { ino, size, mtimeMs } = await files.stat(inDirectory(directory)(DOCUMENT))
    return `${ino}:${size}:${mtimeMs}`
  } catch {
    return undefined // not there, or not to be seen: reading it says which
  }
}
