// The wire of the callback, on real sockets: who sends too much, too slowly, too often or to the wrong address holds up nobody else.
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer, request as httpRequest } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { CallbackAnswer } from '../../src/references/callback-receiver.ts'
import { createCallbackServer } from '../../src/references/callback-server.ts'
import type { ListenPlace } from '../../src/references/listen-place.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { until } from '../helpers/until.ts'

const PATH = '/wecom/callback'

/** Short, so that a test of slow senders is not slow itself. */
const SHORT = { headersMs: 500, requestMs: 1000, idleMs: 500 }

interface Wish {
  place?: ListenPlace
  receive?: () => Promise<CallbackAnswer>
  patience?: typeof SHORT
}

async function start(wish: Wish = {}) {
  const place = wish.place ?? { host: '127.0.0.1', port: 0 }
  const refused: string[] = []
  const bugs: unknown[] = []
  const received: string[][] = []
  let address = ''
  const server = createCallbackServer({
    shownAs: 'path' in place ? `unix:${place.path}` : `${place.host}:${place.port}`,
    place,
    path: PATH,
    receiver: {
      verify: (query) => ({ status: 200, body: `echo of ${query}` }),
      async receive(query, body) {
        received.push([query, body])
        return wish.receive ? wish.receive() : { status: 200 }
      },
    },
    refusals: { note: (refusal) => void refused.push(refusal) },
    emit: (event) => {
      if (event.kind === 'callback-listening') address = event.address
    },
    onBug: (error) => void bugs.push(error),
    ...(wish.patience && { patience: wish.patience }),
  })
  await server.start()
  onTestFinished(() => server.stop())
  const port = Number(address.split(':').at(-1))
  return {
    server,
    refused,
    bugs,
    received,
    address,
    port,
    send: (path: string, options: RequestInit = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, options),
    /** A connection that says this, and all that it hears until it is closed. */
    say: (text: string) => talk(connect(port, '127.0.0.1'), text),
  }
}

function talk(socket: Socket, text: string) {
  let heard = ''
  socket.setEncoding('utf8').on('data', (part) => (heard += part))
  socket.on('error', () => {})
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(heard)))
  socket.write(text)
  return { socket, closed }
}

it('answers its own path, and that alone, exactly', async () => {
  const { send, refused, received } = await start()
  const check = await send(`${PATH}?echostr=a+b%2B`)
  expect([check.status, await check.text()]).toEqual([200, 'echo of echostr=a+b%2B'])
  const message = await send(`${PATH}?nonce=1`, { method: 'POST', body: '<xml/>' })
  expect([message.status, await message.text()]).toEqual([200, ''])
  expect(received).toEqual([['nonce=1', '<xml/>']])
  for (const path of [
    '/',
    '/wecom',
    `${PATH}/`,
    `/x${PATH}`,
    '/wecom//callback',
    '/WECOM/callback',
  ])
    expect((await send(path)).status).toBe(404)
  expect((await send(PATH, { method: 'DELETE' })).status).toBe(405)
  expect(refused).toEqual(Array(7).fill('wrong-address'))
})

it('takes what a proxy says of the sender for nothing', async () => {
  const { send } = await start()
  const headers = { 'x-forwarded-for': '10.0.0.1', 'x-forwarded-prefix': '/other', forwarded: 'x' }
  expect((await send(PATH, { headers })).status).toBe(200)
})

describe('limits', () => {
  it('a body that is too long is refused, said beforehand or not, and the next caller is served', async () => {
    const { send, refused, say } = await start()
    const body = 'x'.repeat(256 * 1024 + 1)
    expect((await send(PATH, { method: 'POST', body })).status).toBe(413)
    const head = `POST ${PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    expect(await say(head + chunk.repeat(5)).closed).toContain(' 413 ')
    expect(
      await say(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n`).closed,
    ).toContain(' 413 ')
    expect(refused).toEqual(['too-large', 'too-large', 'too-large'])
    expect((await send(PATH, { method: 'POST', body: body.slice(1) })).status).toBe(200)
  })

  it('headers that are too long are refused', async () => {
    const { send, refused } = await start()
    expect((await send(`${PATH}?echostr=${'x'.repeat(9000)}`)).status).toBe(431)
    expect(refused).toEqual(['too-large'])
  })

  it('who says nothing, half a head or half a body is cut off, and others are served meanwhile', async () => {
    const { send, refused, say } = await start({ patience: SHORT })
    const slow = [
      say(''),
      say('POST /wec'),
      say(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf a mess`),
    ]
    expect((await send(PATH, { method: 'POST', body: 'x' })).status).toBe(200)
    const heard = await Promise.all(slow.map(({ closed }) => closed))
    expect(heard.map((text) => text.slice(0, 12))).toEqual(Array(3).fill('HTTP/1.1 408'))
    expect(refused).toEqual(Array(3).fill('too-slow'))
  })

  it('a flood finds a limit, and when it is over others are served', async () => {
    const { send, refused, say } = await start()
    const flood = Array.from({ length: 300 }, () => say(''))
    await until(() => refused.length === 44)
    expect(new Set(refused)).toEqual(new Set(['too-many-connections']))
    for (const { socket } of flood) socket.destroy()
    await Promise.all(flood.map(({ closed }) => closed))
    expect((await send(PATH)).status).toBe(200)
  })

  it('one connection may bring many messages, and is closed when it has brought very many', async () => {
    const { say, received } = await start({ patience: SHORT })
    const one = `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx`
    const heard = await say(one.repeat(101)).closed
    expect([received.length, heard.match(/ 200 OK/g)?.length]).toEqual([100, 100])
  })

  it('what is no HTTP at all is refused', async () => {
    const { say, refused } = await start()
    expect(await say('\x16\x03\x01\x02\x00\x01\x00\r\n\r\n').closed).toContain(' 400 ')
    expect(refused).toEqual(['wrong-address'])
  })
})

describe('the end', () => {
  it('waits for what is being made durable, cuts off what has not come whole, and takes nothing new', async () => {
    const durable = Promise.withResolvers<CallbackAnswer>()
    const { server, send, say, received, refused } = await start({ receive: () => durable.promise })
    const answer = send(PATH, { method: 'POST', body: 'x' })
    await until(() => received.length === 1)
    const half = say(`POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf`)
    const idle = say('')
    // It came later, so the others have been taken notice of as well.
    expect((await send(PATH)).status).toBe(200)
    let isStopped = false
    const stopping = server.stop().then(() => {
      isStopped = true
    })
    expect(await half.closed).toBe('')
    await expect(send(PATH)).rejects.toThrow()
    expect(isStopped).toBe(false)
    durable.resolve({ status: 200 })
    expect((await answer).status).toBe(200)
    await stopping
    await idle.closed
    expect(refused).toEqual([])
  })

  it('comes when nothing was begun, and twice', async () => {
    const { server } = await start()
    await Promise.all([server.stop(), server.stop()])
    await server.stop()
  })

  it('of the program comes with an error that nobody foresaw', async () => {
    const { send, bugs } = await start({ receive: () => Promise.reject(new Error('a bug')) })
    await expect(send(PATH, { method: 'POST', body: 'x' })).rejects.toThrow()
    expect(bugs).toMatchObject([{ message: 'a bug' }])
  })
})

describe('where it listens', () => {
  it('can be a socket, which a proxy of another user may use, and which is taken over from the dead', async () => {
    const path = join(await createTempFolder(), 'callback.sock')
    await leaveDeadSocket(path)
    const { server } = await start({ place: { path } })
    expect((await stat(path)).mode & 0o777).toBe(0o666)
    expect(await statusThrough(path)).toBe(200)
    await expect(start({ place: { path } })).rejects.toThrow(
      `cannot listen on \`unix:${path}\` for messages: something listens there already`,
    )
    expect(await statusThrough(path)).toBe(200)
    await server.stop()
    await expect(stat(path)).rejects.toThrow('ENOENT')
  })

  it('is never a file of somebody else’s', async () => {
    const path = join(await createTempFolder(), 'photo.jpg')
    await writeFile(path, 'a photo')
    await expect(start({ place: { path } })).rejects.toThrow('something listens there already')
    expect(await readFile(path, 'utf8')).toBe('a photo')
  })

  it.each([
    [{ path: '/nowhere/at/all.sock' }, 'or the directory is missing'],
    [{ host: '192.0.2.1', port: 0 }, 'this machine has no such address'],
  ])('%o is refused in words', async (place, why) => {
    await expect(start({ place })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining(why),
      hint: expect.stringContaining('callback.listen'),
    })
  })

  it('is refused when another has the port', async () => {
    const other = createHttpServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await until(() => other.listening)
    const { port } = other.address() as AddressInfo
    await expect(start({ place: { host: '127.0.0.1', port } })).rejects.toThrow(
      `cannot listen on \`127.0.0.1:${port}\` for messages: something listens there already`,
    )
  })
})

/** What a killed process leaves: the file, and nobody behind it. */
async function leaveDeadSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}.other`)
  await until(() => server.listening)
  // Renamed, so that closing does not find it to remove it.
  await rename(`${path}.other`, path)
  await new Promise((resolve) => server.close(resolve))
}

const statusThrough = (socketPath: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, path: PATH }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    request.once('error', reject).end()
  })
