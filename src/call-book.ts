// Answers for how much of the quota earlier runs of the program have used: one small file beside the manifest, written before calls
// are made, so that a program that is killed and started again stays within the share. It is a hint: without it, or with nonsense
// in it, nothing counts as used.
import { join } from 'node:path'
import { z } from 'zod'
import type { Emit } from './support/events.ts'
import { createHintWriter, readHint } from './support/hint-file.ts'
import type { CallBook, CallsMade, GateUse } from './wecom/limited-wecom.ts'
import type { SpentCalls } from './wecom/quota.ts'

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
  // When it fails calls go on: at worst a restart within the hour goes beyond the share, which is a part of the quota. Not flushed:
  // a machine that lost its power has been away for a minute.
  const writePage = createHintWriter<z.infer<typeof Page>>({ path, isFlushed: false, emit })
  return {
    made: await readPage(path, clock.nowMs()),
    write: (made) => writePage(renderPage(made, clock.nowMs())),
  }
}

async function readPage(path: string, nowMs: number): Promise<CallsMade> {
  const page = await readHint(path, Page)
  if (!page) return { uploads: NOTHING, downloads: NOTHING }
  // Of a clock that was set back meanwhile nothing is known but that time has passed.
  const sinceMs = Math.max(0, nowMs - Date.parse(page.at))
  const age = ({ minute, hour, upcoming }: z.infer<typeof Gate>): GateUse => {
    const later = ([agoMs, calls]: [number, number]) => ({ agoMs: agoMs + sinceMs, calls })
    return { minute: minute.map(later), hour: hour.map(later), upcoming }
  }
  return { uploads: age(page.uploads), downloads: age(page.downloads) }
}

function renderPage({ uploads, downloads }: CallsMade, nowMs: number): z.infer<typeof Page> {
  const pair = ({ agoMs, calls }: SpentCalls): [number, number] => [agoMs, calls]
  const gate = ({ minute, hour, upcoming }: GateUse): z.infer<typeof Gate> => ({
    minute: minute.map(pair),
    hour: hour.map(pair),
    upcoming,
  })
  return { at: new Date(nowMs).toISOString(), uploads: gate(uploads), downloads: gate(downloads) }
}
