import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseBoundary, readMultipart } from '../../src/simulator/multipart-reader.ts'

async function read(body: Buffer, boundary: string, pieceBytes: number) {
  const pieces = async function* () {
    for (let at = 0; at < body.length; at += pieceBytes) yield body.subarray(at, at + pieceBytes)
  }
  const parts: { head: string; content: Buffer }[] = []
  let isWhole = false
  for await (const event of readMultipart(pieces(), boundary)) {
    const last = parts.at(-1)
    if (event.kind === 'part') parts.push({ head: event.head, content: Buffer.alloc(0) })
    else if (event.kind === 'content' && last) {
      last.content = Buffer.concat([last.content, event.bytes])
    } else if (event.kind === 'end') isWhole = true
  }
  return { parts, isWhole }
}

/** Content made of what is hard to tell from a delimiter. */
const trickyContent = fc
  .array(fc.constantFrom('\r', '\n', '\r\n', '-', '--', 'b', 'bo', '--bound\r', 'x', '\0', 'é'))
  .map((letters) => Buffer.from(letters.join('')))
  .filter(
    (content) =>
      !content.includes('\r\n--bound') && !content.subarray(0, 7).equals(Buffer.from('--bound')),
  )

test('any content comes out as it went in, however the network cuts it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(trickyContent, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 40 }),
      async (contents, pieceBytes) => {
        const parts = contents.map((content, index) =>
          Buffer.concat([
            Buffer.from(`--bound\r\nX: ${index}\r\n\r\n`),
            content,
            Buffer.from('\r\n'),
          ]),
        )
        const body = Buffer.concat([...parts, Buffer.from('--bound--')])
        const result = await read(body, 'bound', pieceBytes)
        expect(result.isWhole).toBe(true)
        expect(result.parts).toEqual(contents.map((content, i) => ({ head: `X: ${i}`, content })))
      },
    ),
    { numRuns: 200 },
  )
})

test('a body cut anywhere before its closing delimiter is not whole', async () => {
  const body = Buffer.from('--bound\r\nX: 0\r\n\r\ncontent\r\n--bound--')
  for (let length = 0; length < body.length; length++) {
    expect((await read(body.subarray(0, length), 'bound', 7)).isWhole).toBe(false)
  }
  expect((await read(body, 'bound', 7)).isWhole).toBe(true)
})

test.each([
  ['multipart/form-data; boundary=abc', 'abc'],
  ['multipart/form-data;boundary=----a-b_c', '----a-b_c'],
  ['Multipart/Form-Data; charset=utf-8; Boundary=abc', 'abc'],
  ['multipart/form-data; boundary="abc"', undefined],
  ['multipart/form-data', undefined],
  ['application/json; boundary=abc', undefined],
  [undefined, undefined],
])('the boundary of %s is %s', (contentType, boundary) => {
  expect(parseBoundary(contentType)).toBe(boundary)
})

test('whatever comes in place of a body is read to its end, and no head is longer than allowed', async () => {
  const piece = fc.constantFrom(
    '--bound',
    '\r\n',
    '\r\n\r\n',
    '--',
    'X: 1',
    'a'.repeat(5000),
    '\0',
    '\r',
  )
  const body = fc.oneof(
    fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join(''))),
    fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
  )
  await fc.assert(
    fc.asyncProperty(body, fc.integer({ min: 1, max: 4000 }), async (bytes, pieceBytes) => {
      const { parts } = await read(bytes, 'bound', pieceBytes)
      const sizeBytes = parts.reduce((sum, { content }) => sum + content.length, 0)
      expect(sizeBytes).toBeLessThanOrEqual(bytes.length)
      for (const { head } of parts) expect(head.length).toBeLessThanOrEqual(16 * 1024)
    }),
  )
})
