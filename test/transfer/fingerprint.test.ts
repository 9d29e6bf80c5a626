import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import {
  fingerprintBuffer,
  fingerprintFile,
  fingerprintPassing,
} from '../../src/transfer/fingerprint.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'

const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

test('is SHA-256', () => {
  expect(fingerprintBuffer(Buffer.from('abc'))).toBe(ABC)
})

test('of a file is that of its bytes, whatever was read of it before', async () => {
  const file = join(await createTempFolder(), 'a')
  const bytes = Buffer.alloc(700_001, 'mirror')
  await writeFile(file, bytes)
  const handle = await open(file)
  try {
    await handle.read(Buffer.alloc(10))
    expect(await fingerprintFile(handle)).toBe(fingerprintBuffer(bytes))
    await expect(fingerprintFile(handle, AbortSignal.abort())).rejects.toThrow('abort')
  } finally {
    await handle.close()
  }
})

test('of what passes by is that of the very bytes, which stay as they are', async () => {
  const passing = fingerprintPassing(() => Readable.from([Buffer.from('a'), Buffer.from('bc')]))
  expect(passing.fingerprint()).toBeUndefined()
  expect(String(await buffer(passing.open()))).toBe('abc')
  expect(passing.fingerprint()).toBe(ABC)
})

test('after a retry it is that of what was sent last, also when the first attempt ends late', async () => {
  const contents = ['first', 'abc']
  const passing = fingerprintPassing(() => Readable.from([Buffer.from(contents.shift() ?? '')]))
  const first = passing.open()
  const second = passing.open()
  await buffer(second)
  await buffer(first)
  expect(passing.fingerprint()).toBe(ABC)
})

test('a source that breaks breaks what is read, and leaves no fingerprint', async () => {
  const passing = fingerprintPassing(() =>
    Readable.from(
      (async function* () {
        yield Buffer.from('half')
        throw new Error('disk gone')
      })(),
    ),
  )
  await expect(buffer(passing.open())).rejects.toThrow('disk gone')
  expect(passing.fingerprint()).toBeUndefined()
})

test('a reader that gives up closes the source', async () => {
  const source = Readable.from(Array.from({ length: 1000 }, () => Buffer.alloc(1000)))
  const stream = fingerprintPassing(() => source).open()
  const closed = new Promise((resolve) => source.once('close', resolve))
  stream.destroy()
  await closed
  expect(source.destroyed).toBe(true)
})
