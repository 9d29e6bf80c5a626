import { fileTypeFromBuffer } from 'file-type'
import { expect, test } from 'vitest'
import { aJpg, anAmr, anMp4, aPdf, aPng } from './samples.ts'

const MB = 2 ** 20

test.each([
  ['jpg', aJpg],
  ['png', aPng],
  ['mp4', anMp4],
  ['pdf', aPdf],
] as const)('a %s sample is one, and has exactly the size asked for', async (ext, make) => {
  const smallest = make().length
  for (const size of [
    undefined,
    smallest,
    smallest + 200,
    65_537 + smallest,
    65_538 + smallest,
    2 * MB + 1,
  ]) {
    const sample = make(size)
    expect(sample.length).toBe(size ?? smallest)
    expect((await fileTypeFromBuffer(sample))?.ext).toBe(ext)
  }
})

test.each([
  [5, 0, 3_256],
  [60, 0, 39_006],
  [61, 0, 39_656],
  [1, 7, 1_606],
])('%i s of AMR in mode %i take %i bytes', async (seconds, mode, sizeBytes) => {
  const sample = anAmr({ seconds, mode })
  expect(sample.length).toBe(sizeBytes)
  expect((await fileTypeFromBuffer(sample))?.ext).toBe('amr')
})

test('a size that the format cannot express is refused', () => {
  expect(() => aJpg(10)).toThrow('cannot make 10 bytes')
  expect(() => aPng(aPng().length + 1)).toThrow('and more')
})
