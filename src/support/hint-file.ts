// Answers for the small files beside the manifest that are hints from one run of the program to the next: read without trust, and
// replaced whole. What is in them, and what is lost without them, is for their owners to say (known-time.ts, call-book.ts).
import { open, readFile, rename } from 'node:fs/promises'
import { basename } from 'node:path'
import type { z } from 'zod'
import { isSystemError } from '../errors.ts'
import type { Emit } from './events.ts'

/** Whether a file of that name in the state directory is a hint that was not written to its end. */
export const isUnfinishedHint = (name: string): boolean => name.endsWith('.json.new')

/** What the file says; undefined when it is not there, cannot be read or holds nonsense. */
export async function readHint<Form>(
  path: string,
  form: z.ZodType<Form>,
): Promise<Form | undefined> {
  try {
    return form.safeParse(JSON.parse(await readFile(path, 'utf8'))).data
  } catch (error) {
    if (isSystemError(error) || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Writes the file. Rejects with bugs only: that the system refuses is told once, until it has gone well again. */
export function createHintWriter<Form>(deps: {
  readonly path: string
  /** Whether it is to outlive a loss of power. */
  readonly isFlushed: boolean
  readonly emit: Emit
}): (hint: Form) => Promise<void> {
  const { path } = deps
  let isFailing = false
  return async (hint) => {
    try {
      await replace(path, `${JSON.stringify(hint)}\n`, deps.isFlushed)
      isFailing = false
    } catch (error) {
      if (!isSystemError(error)) throw error
      if (!isFailing)
        deps.emit({
          kind: 'warned',
          message: `cannot write \`${basename(path)}\`: ${error.message}`,
          hint: 'See to the space and the permissions of the state directory.',
        })
      isFailing = true
    }
  }
}

/** A reader finds the one before or this one, whole; one writer at a time is for the caller to see to. */
async function replace(path: string, text: string, isFlushed: boolean): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(text)
    if (isFlushed) await file.datasync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}
