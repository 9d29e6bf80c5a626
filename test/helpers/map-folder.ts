import type { FileFacts, MediaPath } from '../../src/media/media.ts'
import type { FolderFacts } from '../../src/pass-facts.ts'

/** A folder that is what the map says, always settled and believed. */
export const folderOf = (files: ReadonlyMap<MediaPath, FileFacts>): FolderFacts => ({
  get: (path) => files.get(path),
  isUnsettled: () => false,
  lookAt: () => {},
  paths: () => files.keys(),
  belief: () => ({ kind: 'believed' }),
})
