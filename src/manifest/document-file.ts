// Answers for putting a document in the place of the last one: whoever reads sees one whole `manifest.json` at any moment,
// and after a crash at any line either the old or the new one is there, with the one before it beside it.
import {
  DOCUMENT,
  errnoOf,
  type Files,
  inDirectory,
  linkOrCopy,
  PREVIOUS,
  removeIfThere,
  syncDirectory,
  writeAll,
} from './files.ts'

interface Place {
  readonly files: Files
  readonly directory: string
  /** Who may read the document, whatever the umask: other programs do. */
  readonly documentMode: number
}

/** Returns the size of the new document. The event loop is free after each slice. */
export async function writeDocument(place: Place, slices: Iterable<Buffer>): Promise<number> {
  const at = inDirectory(place.directory)
  const temporary = at(`${DOCUMENT}.tmp`)
  const sizeBytes = await writeTemporary(place, temporary, slices)
  await keepPrevious(place)
  await place.files.rename(temporary, at(DOCUMENT))
  await syncDirectory(place.files, place.directory)
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

/** A second name, moved over the earlier generation: `manifest.json` itself is never away. */
async function keepPrevious({ files, directory }: Place): Promise<void> {
  const at = inDirectory(directory)
  const temporary = at(`${PREVIOUS}.tmp`)
  await removeIfThere(files, temporary)
  try {
    await linkOrCopy(files, at(DOCUMENT), temporary)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return // the first document, or the one before was set aside
    throw error
  }
  await files.rename(temporary, at(PREVIOUS))
  // After a crash the two may be one file already, and renaming a file to itself does nothing.
  await removeIfThere(files, temporary)
}
