// Answers for what a check of the file finds: which key, and what is wrong, before it is known on which line that stands.

export type KeyPath = readonly (string | number)[]

export interface Finding {
  /** Where it stands. May end in an unknown key, which may be a secret that lost its key: not for messages. */
  readonly path: KeyPath
  /** The same for messages. */
  readonly key: string
  /** Whether the key is wrong, not its value: what to point at. */
  readonly isKeyWrong?: boolean
  readonly message: string
}

/** `folder.rules[0].type`, as it is called in messages. */
export const renderKey = (path: KeyPath): string =>
  path
    .map((step, depth) => (typeof step === 'number' ? `[${step}]` : depth > 0 ? `.${step}` : step))
    .join('')

/** What stands at a path, or undefined; never anything inherited. */
export function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (within, step) => (isObject(within) && Object.hasOwn(within, step) ? within[step] : undefined),
    value,
  )
}

/** A mapping or a list. */
export const isObject = (value: unknown): value is Readonly<Record<string | number, unknown>> =>
  typeof value === 'object' && value !== null

/** The same where it is a text. */
export function textAt(value: unknown, path: KeyPath): string | undefined {
  const found = valueAt(value, path)
  return typeof found === 'string' ? found : undefined
}

/** A finding about the value at a path. */
export const createFinding = (path: KeyPath, message: string, key = renderKey(path)): Finding => ({
  path,
  key,
  message,
})
