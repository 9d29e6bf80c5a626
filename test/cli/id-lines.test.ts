// Ids on standard input: what is one, and what is too much.
import { PassThrough, Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { MOST_CHARACTERS, readIdLines } from '../../src/cli/id-lines.ts'

const never = new AbortController().signal
const read = (...pieces: (string | Buffer)[]) =>
  readIdLines(
    Readable.from(
      pieces.map((piece) => Buffer.from(piece)),
      { objectMode: false },
    ),
    3,
    never,
  )

describe('ids on standard input', () => {
  it.each([
    ['nothing', [''], []],
    ['one without a line end', ['id-1'], ['id-1']],
    ['blank lines and comments', ['\n# yesterday\n id-1 \n\n  # x\nid-2\n'], ['id-1', 'id-2']],
    ['the line ends and the mark of Windows', ['\ufeffid-1\r\nid-2\r\n'], ['id-1', 'id-2']],
    ['lines in pieces', ['id', '-1\nid-', '2'], ['id-1', 'id-2']],
    ['a line as long as may be', ['x'.repeat(MOST_CHARACTERS)], ['x'.repeat(MOST_CHARACTERS)]],
  ])('are read from %s', async (_, pieces, ids) => {
    expect(await read(...pieces)).toEqual(ids)
  })

  it('are refused when one more comes than may', async () => {
    expect(await read('1\n2\n3\n#\n\n')).toHaveLength(3)
    await expect(read('1\n2\n3\n4\n')).rejects.toMatchObject({
      exitCode: 2,
      message: 'cannot pull more than 3 media at once',
    })
  })

  it('are refused with the number of a line that is too long, before that has ended', async () => {
    const endless = new PassThrough()
    endless.write(`id-1\n${'x'.repeat(MOST_CHARACTERS + 1)}`)
    await expect(readIdLines(endless, 3, never)).rejects.toMatchObject({
      exitCode: 2,
      message: `line 2 of the ids is longer than ${MOST_CHARACTERS} characters`,
    })
  })

  it('are waited for until somebody has had enough', async () => {
    const caller = new AbortController()
    const reading = readIdLines(new PassThrough(), 3, caller.signal)
    const reason = new Error('SIGINT')
    caller.abort(reason)
    await expect(reading).rejects.toBe(reason)
  })
})
