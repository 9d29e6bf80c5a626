// Answers for what a file is by its first bytes, whatever its name says.
import { fileTypeFromBuffer } from 'file-type'

/** This much of a file tells every format that matters here. */
export const HEAD_BYTES = 4100

/** Voice of WeChat that is often named `.amr`, and that WeCom does not take for it; some writers put one byte before it. */
const SILK = Buffer.from('#!SILK')

/** Other names for what WeCom takes under a plainer one: an animated PNG is a PNG to those who do not animate it. */
const SAME_AS: Readonly<Record<string, string>> = { apng: 'png' }

/** `jpg`, `png`, `amr`, `mp4`, `pdf` …; undefined for what has no mark of its own, such as text. */
export async function detectFormat(head: Buffer): Promise<string | undefined> {
  if (head.subarray(0, SILK.length + 1).includes(SILK)) return 'silk'
  const found = await fileTypeFromBuffer(head)
  return found && (SAME_AS[found.ext] ?? found.ext)
}
