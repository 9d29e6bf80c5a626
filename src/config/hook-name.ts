// Answers for what a hook is called that was given no name: after what it does, and never after what may be secret in that.
import { basename } from 'node:path'

interface Written {
  readonly name?: unknown
  readonly run?: unknown
  readonly post?: unknown
}

/**
 * The name: of a command the last part of its path; of an address the host, or what the place is called where it stands. Undefined where
 * what is written makes no hook, so that it is not said to be called like another one.
 */
export function nameHook({ name, run, post }: Written): string | undefined {
  if (name !== undefined) return textOf(name)
  if (run !== undefined) return post === undefined ? nameCommand(run) : undefined
  return nameAddress(post)
}

function nameCommand(run: unknown): string | undefined {
  const file: unknown = Array.isArray(run) ? run[0] : undefined
  return typeof file === 'string' ? basename(file) || 'run' : undefined
}

/** As it is written, or as it was read. */
function nameAddress(post: unknown): string | undefined {
  const { text, file, env, credential } = isFields(post) ? post : { text: post }
  if (typeof text === 'string') return URL.canParse(text) ? textOf(new URL(text).host) : undefined
  if (typeof file === 'string') return textOf(basename(file))
  return textOf(env) ?? textOf(credential)
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
