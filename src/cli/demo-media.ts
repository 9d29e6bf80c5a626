// Answers for the samples of the demo: a few tiny real media of each kind, made here so that no binary is shipped.
import { crc32, deflateSync } from 'node:zlib'

/** Path and bytes of each sample. */
export function demoMedia(): [path: string, content: Buffer][] {
  return [
    ['posters/欢迎.png', createPng(320, 180, [7, 193, 96])],
    ['posters/spring.png', createPng(320, 180, [16, 174, 255])],
    ['voice/please-hold.amr', createSilence(3)],
    ['价目表.csv', Buffer.from('\uFEFF品名,单价\r\n茶,12\r\n咖啡,18\r\n')],
  ]
}

/** A picture of one colour. */
function createPng(
  width: number,
  height: number,
  colour: readonly [number, number, number],
): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2], 8)
  const row = Buffer.concat([Buffer.of(0), Buffer.alloc(width * 3, Buffer.from(colour))])
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)))
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', pixels),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

function pngChunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), content])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, checksum])
}

/** AMR-NB of the lowest rate: 50 frames of 13 bytes a second, the first byte of each its header. */
function createSilence(lengthSeconds: number): Buffer {
  const frame = Buffer.alloc(13)
  frame[0] = 0x04
  return Buffer.concat([
    Buffer.from('#!AMR\n'),
    ...Array.from({ length: 50 * lengthSeconds }, () => frame),
  ])
}
