// The local interface over a real Unix socket: what it answers to what is asked well, badly, and by those who leave.
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { request } from 'node:http'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectDesk } from '../../src/cli/remote-desk.ts'
import { WecomRefused } from '../../src/errors.ts'
import type { Desk } from '../../src/serve/desk.ts'
import { createLocalServer } from '../../src/serve/server.ts'
import { openSocketPath } from '../../src/serve/socket-path.ts'
import { anEntry, NOW_MS } from '../helpers/builders.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { until } from '../helpers/until.ts'
import { createDeskFixture } from './desk-fixture.ts'

async function serve(over: Partial<Desk> = {}, below = '') {
  const stateDirectory = join(await createTempFolder('state'), below)
  await mkdir(stateDirectory, { recursive: true })
  const fixture = await createDeskFixture()
  const bugs: unknown[] = []
  const server = createLocalServer({
    stateDirectory,
    desk: { ...fixture.desk, ...over },
    onBug: (error) => bugs.push(error),
  })
  await server.start()
  onTestFinished(() => server.stop())
  return { ...fixture, stateDirectory, bugs, server }
}

async function ask(stateDirectory: string, method: string, path: string, body?: string) {
  const socket = await openSocketPath(stateDirectory)
  try {
    return await new Promise<{ status: number | undefined; json: unknown }>((resolve, reject) => {
      request({ socketPath: socket.path, method, path, agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part) => (text += part))
        response.on('end', () => resolve({ status: response.statusCode, json: JSON.parse(text) }))
      })
        .on('error', reject)
        .end(body)
    })
  } finally {
    await socket.release()
  }
}

describe('what is asked well', () => {
  it('tells a live media_id, one that is not live, and a path that nobody knows', async () => {
    const { stateDirectory, manifest, clock } = await serve()
    await clock.advance(NOW_MS - clock.nowMs())
    await manifest.commit([
      { kind: 'put-entry', entry: anEntry({ path: '海报/a b.jpg' }) },
      { kind: 'put-entry', entry: anEntry({ path: 'old.jpg', ageHours: 80 }) },
    ])
    const lookUp = (path: string) =>
      ask(stateDirectory, 'GET', `/v1/media/${encodeURIComponent(path)}`)
    expect(await lookUp('海报/a b.jpg')).toMatchObject({
      status: 200,
      json: { kind: 'live', media: { media_id: 'id-海报/a b.jpg' } },
    })
    expect(await lookUp('old.jpg')).toMatchObject({ status: 409, json: { kind: 'not-live' } })
    expect(await lookUp('x.jpg')).toMatchObject({ status: 404, json: { kind: 'unknown' } })
  })

  it('works where the path of the state directory is longer than a socket address may be', async () => {
    const { stateDirectory } = await serve({}, join('d'.repeat(100), 'e'.repeat(100)))
    const desk = await connectDesk(stateDirectory)
    expect(await desk?.list()).toEqual([])
  })

  it('gives a stream of progress and then the outcome', async () => {
    const progress = { done: 1, total: 2, failed: 0, doneBytes: 3, current: ['a.jpg'] }
    const outcome = { uploaded: 2 } as never
    const { stateDirectory } = await serve({
      mirror: async (onProgress) => {
        onProgress(progress)
        return outcome
      },
    })
    const desk = await connectDesk(stateDirectory)
    const seen: unknown[] = []
    const answer = await desk?.mirror((one) => seen.push(one), new AbortController().signal)
    expect({ seen, answer }).toEqual({ seen: [progress], answer: outcome })
  })
})

it('hears that everything that vanished is wanted back, and does not assume it', async () => {
  const wishes: unknown[] = []
  const { stateDirectory } = await serve({
    mirror: async (_, __, options) => {
      wishes.push(options)
      return {} as never
    },
  })
  const desk = await connectDesk(stateDirectory)
  const { signal } = new AbortController()
  await desk?.mirror(() => {}, signal, { restoreVanished: true })
  await desk?.mirror(() => {}, signal)
  expect(wishes).toEqual([{ restoreVanished: true }, { restoreVanished: false }])
})

describe('what is asked badly', () => {
  it('whatever is asked, in whatever form, is answered, and no bug', async () => {
    const { stateDirectory, bugs } = await serve()
    const hostile = fc.oneof(
      fc.constantFrom(
        '../../etc/passwd',
        '/etc/passwd',
        '\0',
        'a/../../b',
        '..',
        '',
        'x'.repeat(5000),
      ),
      fc.string({ unit: 'binary', maxLength: 50 }),
    )
    const json = fc.oneof(
      fc.record({ paths: fc.array(hostile, { maxLength: 4 }), delete_file: fc.boolean() }),
      fc.record({ media_id: fc.constantFrom('', ' ', '\n', 'x'.repeat(600)), path: hostile }),
      fc.jsonValue({ maxDepth: 3 }),
    )
    const target = fc.oneof(
      fc.constantFrom('/v1/forget', '/v1/references', '/v1/media', '/v1/status', '/v1/plan'),
      hostile.map((path) => `/v1/media/${encodeURIComponent(path.toWellFormed())}`),
      hostile.map((glob) => `/v1/media?glob=${encodeURIComponent(glob.toWellFormed())}`),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'DELETE', 'OPTIONS'),
        target,
        json,
        async (method, path, body) => {
          const { status } = await ask(
            stateDirectory,
            method,
            path,
            method === 'POST' ? JSON.stringify(body) : undefined,
          )
          expect([200, 400, 404, 503]).toContain(status)
        },
      ),
    )
    expect(bugs).toEqual([])
  })

  it.each([
    ['no HTTP at all', '\0\xff\x16\x03\x01 hello\r\n\r\n'],
    ['a header without an end', `GET / HTTP/1.1\r\nX: ${'y'.repeat(100_000)}`],
    [
      'two lengths',
      'POST /v1/forget HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}',
    ],
    [
      'a length and chunks',
      'POST /v1/forget HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'an endless chunk',
      'POST /v1/forget HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n',
    ],
  ])('refuses %s, and goes on', async (_, bytes) => {
    const { stateDirectory, bugs } = await serve()
    const socket = createConnection(join(stateDirectory, 'daemon.sock'))
    socket.on('error', () => {}).write(Buffer.from(bytes, 'latin1'))
    const [refusal] = await once(socket, 'data')
    expect(String(refusal)).toMatch(/^HTTP\/1\.1 4/)
    socket.destroy()
    expect((await ask(stateDirectory, 'GET', '/healthz')).status).toBe(200)
    expect(bugs).toEqual([])
  })

  it.each([
    ['GET', '//', undefined, 400],
    ['GET', '//elsewhere/v1/status', undefined, 400],
    ['GET', '/v1/media/%ff', undefined, 400],
    ['GET', '/v1/media?glob=', undefined, 400],
    ['GET', '/v1/media?glob=%2F', undefined, 400],
    ['GET', `/v1/media?glob=${'a'.repeat(5000)}`, undefined, 400],
    ['POST', '/v1/forget', '{"paths":', 400],
    ['POST', '/v1/forget', '{"paths":"a.jpg"}', 400],
    ['POST', '/v1/forget', JSON.stringify({ paths: ['x'.repeat(2 ** 20)] }), 400],
    ['POST', '/v1/passes', '{"restore_vanished":"all"}', 400],
    ['POST', '/v1/references', undefined, 400],
    ['POST', '/v1/references', '{}', 400],
    ['POST', '/v1/references', '{"media_ids":[]}', 400],
    ['POST', '/v1/references', '{"media_id":"a","media_ids":["b"]}', 400],
    ['POST', '/v1/references', JSON.stringify({ media_ids: Array(2001).fill('a') }), 400],
    ['DELETE', '/v1/status', undefined, 404],
    ['GET', '/v1/media/%2Fetc%2Fpasswd', undefined, 404],
    ['GET', '/v1/media/..%2F..%2Fetc%2Fpasswd', undefined, 404],
  ])('%s %s is answered, and no bug', async (method, path, body, status) => {
    const { stateDirectory, bugs } = await serve()
    const reply = await ask(stateDirectory, method, path, body)
    expect(reply.status).toBe(status)
    if (status === 400) expect(reply.json).toHaveProperty('error.message')
    expect(bugs).toEqual([])
  })
})

describe('what fails', () => {
  const refused = new WecomRefused(
    'cannot call WeCom: the secret is wrong',
    { errcode: 40001, errmsg: 'invalid credential', remedy: 'stop' },
    { hint: 'Correct it.' },
  )

  it('is told with its code and hint, and ends the command as it would have here', async () => {
    const { stateDirectory, bugs } = await serve({ plan: () => Promise.reject(refused) })
    expect(await ask(stateDirectory, 'GET', '/v1/plan')).toEqual({
      status: 503,
      json: {
        error: {
          code: 'WECOM_REFUSED',
          message: refused.message,
          hint: 'Correct it.',
          remedy: 'stop',
          errcode: 40001,
        },
      },
    })
    const desk = await connectDesk(stateDirectory)
    await expect(desk?.plan()).rejects.toMatchObject({
      message: refused.message,
      hint: 'Correct it.',
      exitCode: 77,
    })
    expect(bugs).toEqual([])
  })

  it('is told as the last line when a stream had begun', async () => {
    const { stateDirectory, bugs } = await serve({ mirror: () => Promise.reject(refused) })
    const desk = await connectDesk(stateDirectory)
    const never = new AbortController().signal
    await expect(desk?.mirror(() => {}, never)).rejects.toMatchObject({ exitCode: 77 })
    expect(bugs).toEqual([])
  })

  it('because the operating system refused is no bug', async () => {
    const error = Object.assign(new Error('EROFS: read-only file system, unlink'), {
      code: 'EROFS',
      syscall: 'unlink',
    })
    const { stateDirectory, bugs } = await serve({ forget: () => Promise.reject(error) })
    const desk = await connectDesk(stateDirectory)
    const options = { deleteFile: true, vanished: false }
    await expect(desk?.forget(['a'], options)).rejects.toMatchObject({
      message: expect.stringContaining('EROFS'),
      exitCode: 78,
    })
    expect(bugs).toEqual([])
  })

  it('for a reason that nobody foresaw is a bug, and the caller hears that no answer comes', async () => {
    const bug = new TypeError('x is not a function')
    const { stateDirectory, bugs } = await serve({ plan: () => Promise.reject(bug) })
    const desk = await connectDesk(stateDirectory)
    await expect(desk?.plan()).rejects.toMatchObject({
      message: 'the daemon ended before it had answered',
      exitCode: 69,
    })
    expect(bugs).toEqual([bug])
  })
})

describe('a caller that goes away', () => {
  it('in the middle of its body is no bug', async () => {
    const { stateDirectory, bugs } = await serve()
    const socket = createConnection(join(stateDirectory, 'daemon.sock'))
    socket.write('POST /v1/forget HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"pa')
    await ask(stateDirectory, 'GET', '/healthz')
    socket.destroy()
    await new Promise((resolve) => socket.once('close', resolve))
    expect((await ask(stateDirectory, 'GET', '/healthz')).status).toBe(200)
    expect(bugs).toEqual([])
  })

  it('in the middle of a stream ends what was done for it', async () => {
    let reason: unknown
    const { stateDirectory, bugs } = await serve({
      mirror: (onProgress, signal) =>
        new Promise((_, reject) => {
          onProgress({ done: 0, total: 1, failed: 0, doneBytes: 0, current: [] })
          signal.addEventListener('abort', () => {
            reason = signal.reason
            onProgress({ done: 0, total: 1, failed: 0, doneBytes: 0, current: [] })
            reject(signal.reason)
          })
        }),
    })
    const caller = new AbortController()
    const desk = await connectDesk(stateDirectory)
    const leaving = new Error('SIGINT')
    const mirroring = desk?.mirror(() => caller.abort(leaving), caller.signal)
    await expect(mirroring).rejects.toBe(leaving)
    await until(() => reason !== undefined, { what: 'the end of the pass' })
    expect(reason).toMatchObject({ message: 'the caller went away' })
    expect((await ask(stateDirectory, 'GET', '/healthz')).status).toBe(200)
    expect(bugs).toEqual([])
  })

  it('after its answer aborts nothing', async () => {
    let signal: AbortSignal | undefined
    const { stateDirectory } = await serve({
      async pull(_wish, tell, given) {
        signal = given
        tell({ answer: { kind: 'refused', media_id: 'x', because: 'no' } })
      },
    })
    await ask(stateDirectory, 'POST', '/v1/references', '{"media_id":"x"}')
    await ask(stateDirectory, 'GET', '/healthz')
    expect(signal?.aborted).toBe(false)
  })
})
