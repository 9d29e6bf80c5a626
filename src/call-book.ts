// Answers for how much of the quota earlier runs of the program have used: one small file beside the manifest, written before calls
// are made, so that a program that is killed and started again stays within the share. It is a hint: without it, or with nonsense
// in it, nothing counts as used.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { isSystemError } from './serve/answers.ts'
import type { Emit } from './support/events.ts'
import type { CallBook, CallsMade, GateUse } from './wecom/limited-wecom.ts'

const FILE = 'calls.json'

const Spent = z.array(z.tuple([z.number().nonnegative(), z.int().nonnegative()]))
const Gate = z.object({ minute: Spent, hour: Spent, upcoming: z.int().nonnegative() })
/** Pairs of "so many ms before `at`" and "so many calls". */
const Page = z.object({ at: z.iso.datetime(), uploads: Gate, downloads: Gate })

const NOTHING: GateUse = { minute: [], hour: [], upcoming: 0 }

/** The book of a state directory, opened at what the last run wrote. */
export async function openCallBook(deps: {
  directory: string
  clock: { nowMs(): number }
  emit: Emit
}): Promise<CallBook> {
  const { clock, emit } = deps
  const path = join(deps.directory, FILE)
  let isFailing = false
  return {
    made: await readPage(path, clock.nowMs()),
    async write(made) {
      try {
        await replace(path, made, clock.nowMs())
        isFailing = false
      } catch (error) {
        if (!isSystemError(error)) throw error
        // Calls go on: at worst a restart within the hour goes beyond the share, which is a part of the quota.
        if (!isFailing)
          emit({
            kind: 'warned',
            message: `cannot write \`${FILE}\`: ${error.message}`,
            hint: 'See to the space and the permissions of the state directory.',
          })
        isFailing = true
      }
    },
  }
}

async function readPage(path: string, nowMs: number): Promise<CallsMade> {
  const page = Page.safeParse(parseJson(await readFile(path, 'utf8').catch(asNothing)))
  if (!page.success) return { uploads: NOTHING, downloads: NOTHING }
  // Of a clock that was set back meanwhile nothing is known but that time has passed.
  const sinceMs = Math.max(0, nowMs - Date.parse(page.data.at))
  const age = ({ minute, hour, upcoming }: z.infer<typeof Gate>): GateUse => {
    const later = ([agoMs, calls]: [number, number]) => ({ agoMs: agoMs + sinceMs, calls })
    return { minute: minute.map(later), hour: hour.map(later), upcoming }
  }
  return { uploads: age(page.data.uploads), downloads: age(page.data.downloads) }
}

function asNothing(error: unknown): string {
  if (isSystemError(error)) return ''
  throw error
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A reader finds the one before or this one, whole. Not flushed: a machine that lost its power has been away for a minute. */
async function replace(path: string, made: CallsMade, nowMs: number): Promise<void> {
  const gate = ({ minute, hour, upcoming }: GateUse): z.infer<typeof Gate> => {
    const pair = ({ agoMs, calls }: { agoMs: number; calls: number }): [number, number] => [
      agoMs,
      calls,
    ]
    return { minute: minute.map(pair), hour: hour.map(pair), upcoming }
  }
  const page: z.infer<typeof Page> = {
    at: new Date(nowMs).toISOString(),
    uploads: gate(made.uploads),
    downloads: gate(made.downloads),
  }
  await writeFile(`${path}.new`, `${JSON.stringify(page)}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}
