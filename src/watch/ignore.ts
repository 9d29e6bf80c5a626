// Answers for which paths of the folder are none of our business: hidden, temporary, or ignored by the configuration.
import { createGlob } from '../media/glob.ts'

/** Names of editors', downloaders' and systems' own files. What begins with a dot is ignored anyway. */
const TEMPORARY_NAMES = [
  /~$/, // backups of many editors
  /\.sw[a-px]$/i, // vim
  /^#.*#$/, // emacs
  /^~\$/, // Office, while a document is open
  /^~.*\.tmp$/i,
  /^~syncthing~/,
  /\.(?:tmp|temp|part|partial|crdownload|download|opdownload|aria2|filepart|!ut|!qb|bc!)$/i,
  /^(?:thumbs\.db|desktop\.ini|lost\+found|@eadir|#recycle|\$recycle\.bin|system volume information)$/i,
]

const TEMPORARY = new RegExp(TEMPORARY_NAMES.map(({ source }) => `(?:${source})`).join('|'), 'i')

/**
 * A test for paths relative to the folder. A path is ignored with the directory it lies in: for a file in an ignored
 * directory the answer is yes as well. Our own temporaries and the marker begin with a dot, and are ignored as such.
 */
export function createIgnore(globs: readonly string[]): (path: string) => boolean {
  const matchers = globs.map((glob) => createGlob(glob.endsWith('/') ? glob.slice(0, -1) : glob))
  // A folder is walked directory by directory, so the verdict on the last directory answers for most paths.
  let lastDirectory = ''
  let lastVerdict = false

  function isIgnored(path: string): boolean {
    const slash = path.lastIndexOf('/')
    const name = path.slice(slash + 1)
    if (name.startsWith('.') || TEMPORARY.test(name) || matchers.some((matches) => matches(path)))
      return true
    return slash > 0 && isDirectoryIgnored(path.slice(0, slash))
  }

  function isDirectoryIgnored(directory: string): boolean {
    if (directory !== lastDirectory) {
      lastVerdict = isIgnored(directory)
      lastDirectory = directory
    }
    return lastVerdict
  }

  return (path) => path !== '' && isIgnored(path)
}
