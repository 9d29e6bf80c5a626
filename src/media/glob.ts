// Answers for the one glob dialect of the program: `folder.ignore`, `folder.rules` and `list GLOB` read alike.
import picomatch from 'picomatch'

/**
 * A test for paths of the folder. As in .gitignore, a glob without a slash matches the base name at any depth
 * (`*.psd`), one with a slash matches the whole path (`drafts/**`), and a slash in front means "from the root" (`/a.jpg`).
 * Dot files are not special here, and a leading `!` is a character like any other: there is nothing to negate.
 */
export function createGlob(pattern: string): (path: string) => boolean {
  const anchored = pattern.startsWith('/') ? pattern.slice(1) : pattern
  const matches = picomatch(anchored, { dot: true, nonegate: true })
  if (pattern.includes('/')) return (path) => matches(path)
  return (path) => matches(path.slice(path.lastIndexOf('/') + 1))
}
