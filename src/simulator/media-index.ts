// Answers for remembering which media exist, across restarts: one line per arrival or removal, in the order they happened.
// Not flushed to the disk: a simulated service may forget what power loss took from it.
import { appendFile, readFile, rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { MEDIA_KINDS } from '../media/media.ts'

const mediumSchema = z.object({
  mediaId: z.string().regex(/^[\w-]{1,128}$/),
  /** Whose medium it is; without one, everyone's. */
  corpId: z.string().optional(),
  kind: z.enum(MEDIA_KINDS),
  /** The name as it came over the wire. */
  wireName: z.string(),
  sizeBytes: z.number(),
  sha256: z.string(),
  format: z.enum(['jpg', 'png', 'mp4', 'amr', 'unknown']),
  durationMs: z.number(),
  /** By the clock that the simulator was given, without the skew it shows. */
  createdAtMs: z.number(),
  /** What the upload said of its length, if it did. */
  fileLength: z.number().optional(),
  /** Uploaded by a web page of WeCom's; only such voices are had in high definition. */
  fromJsSdk: z.boolean().optional(),
})

/** One medium that the simulator holds. */
export type StoredMedium = Readonly<z.output<typeof mediumSchema>>

const lineSchema = z.union([
  z.strictObject({ add: mediumSchema }),
  z.strictObject({ remove: z.string() }),
])
type Line = z.input<typeof lineSchema>

export interface MediaIndex {
  append(line: Line): Promise<void>
}

/** Removals that may pile up in the file before it is written anew. */
const MOST_REMOVALS = 1_000

/** Reads the index at `path`, drops a torn last line, and goes on writing it; `media` is kept by the caller. */
export async function openMediaIndex(
  path: string,
  media: Map<string, StoredMedium>,
): Promise<MediaIndex> {
  for (const line of await readLines(path)) {
    if ('add' in line) media.set(line.add.mediaId, line.add)
    else media.delete(line.remove)
  }

  let removals = 0
  let writing: Promise<unknown> = rewrite()

  async function rewrite() {
    const lines = [...media.values()].map((medium) => `${JSON.stringify({ add: medium })}\n`)
    await writeFile(`${path}.new`, lines.join(''), { mode: 0o600 })
    await rename(`${path}.new`, path)
    removals = 0
  }

  async function write(line: Line) {
    if ('remove' in line && ++removals > MOST_REMOVALS) await rewrite()
    else await appendFile(path, `${JSON.stringify(line)}\n`)
  }

  await writing
  return {
    append(line) {
      const mine = writing.then(() => write(line))
      // Whoever appended hears of a failure; the next one gets its own try.
      writing = mine.catch(() => undefined)
      return mine
    },
  }
}

async function readLines(path: string) {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  // What stands after the last line break was torn by a crash: the medium was not acknowledged.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  return whole.filter((line) => line !== '').map((line) => lineSchema.parse(JSON.parse(line)))
}
