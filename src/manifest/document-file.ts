// Answers for putting a document in the place of the last one: whoever reads sees one whole `manifest.json` at any moment,
// and after a crash at any line either the old or the new one is there, with the one before it beside it.
import { errnoOf } from '../support/errno.ts'
import {
  DOCUMENT,
  type Files,
  inDirectory,
  linkOrCopy,
  PREVIOUS,
  removeIfThere,
  syncDirectory,
  writeAll,
} from './files.ts'

/** What the document is called until it is the earlier generation. */
const SECOND = `${PREVIOUS}.tmp`

interface Place {
  readonly files: Files
  readonly directory: string
  /** Who may read the document, whatever the umask: other programs do. */
  readonly documentMode: number
}

/**
 * Returns the size of the new document. The event loop is free after each slice. At any line there are two generations that are
 * two files, each with its journals: the earlier one is replaced only when the new document is durable, and that is durable
 * before anybody removes the journals it needed.
 */
export async function writeDocument(place: Place, slices: Iterable<Buffer>): Promise<number> {
  const { files, directory } = place
  const at = inDirectory(directory)
  const temporary = at(`${DOCUMENT}.tmp`)
  const sizeBytes = await writeTemporary(place, temporary, slices)
  const hasEarlier = await giveSecondName(place)
  await files.rename(temporary, at(DOCUMENT))
  await syncDirectory(files, directory)
  if (hasEarlier) {
    await files.rename(at(SECOND), at(PREVIOUS))
    // An earlier version could leave both names with one file, and renaming a file to itself does nothing.
    await removeIfThere(files, at(SECOND))
    await syncDirectory(files, directory)
  }
  return sizeBytes
}

/** What a killed process left half-made. Only for who holds the lock, and before any document is written. */
export async function removeUnfinished({
  files,
  directory,
}: Pick<Place, 'files' | 'directory'>): Promise<void> {
  for (const name of [DOCUMENT, PREVIOUS])
    await removeIfThere(files, inDirectory(directory)(`${name}.tmp`))
}

async function writeTemporary(
  { files, documentMode }: Place,
  path: string,
  slices: Iterable<Buffer>,
) {
  const file = await files.open(path, 'w', documentMode)
  let sizeBytes = 0
  try {
    await file.chmod(documentMode)
    for (const slice of slices) {
      await writeAll(file, slice, sizeBytes)
      sizeBytes += slice.length
    }
    await file.sync()
  } catch (error) {
    // On a full disk its space is what the journal needs to go on.
    await file.truncate(0).catch(() => undefined)
    throw error
  } finally {
    await file.close()
  }
  return sizeBytes
}

/** A second name for the document that is there: `manifest.json` itself is never away. False when there is none. */
async function giveSecondName({ files, directory }: Place): Promise<boolean> {
  const at = inDirectory(directory)
  await removeIfThere(files, at(SECOND))
  try {
    await linkOrCopy(files, at(DOCUMENT), at(SECOND))
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false // the first document, or the one before was set aside
    throw error
  }
}
