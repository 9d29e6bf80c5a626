// Real requests to a real receiver: what is sent, what counts as told, and that the key in an address is never repeated.
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { createPost } from '../../src/hooks/post-request.ts'

const never = new AbortController().signal
const BODY = Buffer.from('{"path":"春.jpg"}\n')

type Answer = (request: IncomingMessage, response: ServerResponse) => void

async function receiver(answer: Answer) {
  const heard: { url: string; headers: IncomingMessage['headers']; body: Buffer }[] = []
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray())
    heard.push({ url: request.url ?? '', headers: request.headers, body })
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { heard, origin: `http://127.0.0.1:${port}`, close: () => server.close() }
}

const post = (url: string, keys: { token?: string; secret?: string } = {}) =>
  createPost({ url: new URL(url), token: keys.token, secret: keys.secret, env: {} })

it('posts the body as JSON, with token and signature', async () => {
  const { heard, origin } = await receiver((_, response) => response.end('ok'))
  const tell = post(`${origin}/hook?key=k`, { token: 'bearer', secret: 'shared' })
  expect(await tell(BODY, never)).toBeUndefined()
  const [{ url, headers, body } = { url: '', headers: {}, body: Buffer.from('') }] = heard
  expect(url).toBe('/hook?key=k')
  expect(body).toEqual(BODY)
  expect(headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(BODY.length),
    authorization: 'Bearer bearer',
    'x-signature-256': `sha256=${createHmac('sha256', 'shared').update(BODY).digest('hex')}`,
  })
})

it.each([
  [200, undefined],
  [204, undefined],
  [301, 'answered 301'],
  [410, 'answered 410'],
  [500, 'answered 500'],
])('an answer of %i: %s', async (status, because) => {
  const { origin } = await receiver((_, response) =>
    response.writeHead(status, { Location: '/elsewhere' }).end(),
  )
  expect((await post(`${origin}/?key=CANARY`)(BODY, never))?.because).toBe(
    because && `${origin} ${because}`,
  )
})

it('does not read an answer without an end', async () => {
  const { origin } = await receiver((_, response) => {
    const write = (): void => void (response.write(Buffer.alloc(65_536)) ? setImmediate(write) : 0)
    response.on('drain', write).writeHead(200)
    write()
  })
  expect(await post(origin)(BODY, never)).toBeUndefined()
})

it('says what happened on the way, and never more of the address than its origin', async () => {
  const gone = await receiver(() => {})
  gone.close()
  const refused = await post(`${gone.origin}/CANARY?key=CANARY`)(BODY, never)
  expect(refused?.because).toBe(`no answer from ${gone.origin}: ECONNREFUSED`)
  const broken = await receiver((request) => request.socket.destroy())
  const reset = await post(`${broken.origin}/CANARY`)(BODY, never)
  expect(reset?.because).toBe(`no answer from ${broken.origin}: ECONNRESET`)
  const odd = await receiver((request) => request.socket.end('not HTTP at all\r\n\r\n'))
  const unclear = await post(`${odd.origin.replace('//', '//u:CANARY@')}/`)(BODY, never)
  expect(unclear?.because).toContain('no answer from http://127.0.0.1')
  expect(JSON.stringify([refused, reset, unclear])).not.toContain('CANARY')
})

it.each(['the head', 'the rest'])('gives up at a word when %s never comes', async (what) => {
  const ending = new AbortController()
  const { origin } = await receiver((_, response) => {
    if (what === 'the rest') response.writeHead(503).write('.')
    setImmediate(() => ending.abort())
  })
  expect(await post(origin)(BODY, ending.signal)).toBeDefined()
})
