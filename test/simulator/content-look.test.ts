import { expect, test } from 'vitest'
import { createContentLook } from '../../src/simulator/content-look.ts'
import { aJpg, anAmr, anMp4, aPdf, aPng } from '../helpers/samples.ts'

function lookAt(content: Buffer, pieceBytes: number) {
  const look = createContentLook()
  for (let at = 0; at < content.length; at += pieceBytes) {
    look.add(content.subarray(at, at + pieceBytes))
  }
  return look.result()
}

test.each([
  ['jpg', aJpg()],
  ['png', aPng()],
  ['mp4', anMp4()],
  ['unknown', aPdf()],
  ['unknown', Buffer.from('#!AM')],
  ['unknown', Buffer.alloc(0)],
])('%s is recognised by its first bytes, however they are cut', (format, content) => {
  for (const pieceBytes of [1, 3, 7, 100_000]) {
    expect(lookAt(content, pieceBytes)).toMatchObject({ format, sizeBytes: content.length })
  }
})

test.each([
  [{ seconds: 1 }, 1_000],
  [{ seconds: 60 }, 60_000],
  [{ seconds: 60.02 }, 60_020],
  [{ seconds: 61, mode: 7 }, 61_000],
])('the playing time of AMR %j is %i ms, however it is cut', (wish, durationMs) => {
  for (const pieceBytes of [1, 13, 32, 4096]) {
    expect(lookAt(anAmr(wish), pieceBytes)).toMatchObject({ format: 'amr', durationMs })
  }
})
