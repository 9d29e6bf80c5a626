// Answers for what a hook is called that was given no name: after what it does, and never after what may be secret in that.
import { basename } from 'node:path'

interface Written {
  readonly name?: unknown
  readonly run?: unknown
  readonly post?: unknown
}

/** The name; of an address the host at most, of a command the last part of its path. */
export function nameHook({ name, run, post }: Written): string {
  if (typeof name === 'string') return name
  const [file] = Array.isArray(run) ? run : []
  if (typeof file === 'string') return basename(file) || 'run'
  const url = addressOf(post)
  return url !== undefined && URL.canParse(url) ? new URL(url).host : 'post'
}

/** As it is written, or as it was read. */
const addressOf = (post: unknown): string | undefined => {
  if (typeof post === 'string') return post
  const text = typeof post === 'object' && post !== null && 'text' in post ? post.text : undefined
  return typeof text === 'string' ? text : undefined
}
