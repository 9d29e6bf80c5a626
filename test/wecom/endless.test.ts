// Answers without an end, from whatever stands in WeCom's place: the client gives each up early, and its memory stays what it was.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { Taken } from './endless-client.ts'
import { listen } from './loopback.ts'

const MB = 2 ** 20
const CHUNK = 'x'.repeat(64 * 1024)
const OK = 'HTTP/1.1 200 OK\r\n'
const JSON_TYPE = 'Content-Type: application/json\r\n'
const body = (head: string, chunk: string) => ({ head: `${head}\r\n`, chunk })

/** What each place answers with: a head once, then the same again and again, a gigabyte of it where it is taken. */
const PLACES: Readonly<Record<string, { head: string; chunk: string }>> = {
  'an-error-page': body('HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n', CHUNK),
  'an-announced-error-page': body(`HTTP/1.1 500 No\r\nContent-Length: ${1024 * MB}\r\n`, CHUNK),
  'nested-arrays': body(OK + JSON_TYPE, '['.repeat(64 * 1024)),
  'a-long-text-in-json': body(`${OK}${JSON_TYPE}Error-Code: 40007\r\n`, CHUNK),
  'a-header-line': { head: `${OK}X-Long: `, chunk: CHUNK },
  'header-lines': { head: OK, chunk: 'X-Another: one\r\n'.repeat(4096) },
  'interim-answers': { head: '', chunk: 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(2048) },
  'a-reason': { head: 'HTTP/1.1 200 ', chunk: CHUNK },
  'a-chunk-extension': body(`${OK}Transfer-Encoding: chunked\r\n\r\n1;`, CHUNK),
  trailers: body(`${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n`, 'X-A: b\r\n'.repeat(8192)),
}

/** Writes as fast as it is taken, until the other side has had enough. */
async function pour(socket: net.Socket, { head, chunk }: { head: string; chunk: string }) {
  let poured = 0
  socket.write(head)
  while (!socket.destroyed && poured < 1024 * MB) {
    poured += chunk.length
    if (!socket.write(chunk))
      await new Promise<void>((resolve) => {
        const go = () => {
          socket.off('drain', go).off('close', go)
          resolve()
        }
        socket.on('drain', go).on('close', go)
      })
  }
  return poured
}

const TOKEN = '{"access_token":"t","expires_in":7200}'

/** Gives a token first where it is not the token that is asked for endlessly. */
async function createEndlessServer() {
  const poured = new Map<string, number>()
  const server = net.createServer((socket) => {
    socket.on('data', async (data) => {
      const [, place = '', call = ''] = /^\w+ \/([^/]+)\/(\S*)/.exec(String(data)) ?? []
      if (place === '') return
      if (call.includes('gettoken') && !place.startsWith('token-'))
        return void socket.write(`${OK}Content-Length: ${TOKEN.length}\r\n\r\n${TOKEN}`)
      const answer = PLACES[place.replace('token-', '')]
      if (answer) poured.set(place, (poured.get(place) ?? 0) + (await pour(socket, answer)))
    })
  })
  const port = await listen(server)
  return { poured, urlOf: (place: string) => `http://127.0.0.1:${port}/${place}` }
}

test('whatever does not end is given up, in bounded memory', async () => {
  const { poured, urlOf } = await createEndlessServer()
  const places = [...Object.keys(PLACES), 'token-an-error-page', 'token-nested-arrays']
  const client = fork(new URL('./endless-client.ts', import.meta.url), places.map(urlOf))
  onTestFinished(() => void client.kill())
  const [{ taken, grownBytes }] = (await once(client, 'message')) as [
    { taken: Taken[]; grownBytes: number },
  ]
  expect(grownBytes).toBeLessThan(150 * MB)
  for (const { place, call, outcome } of taken) {
    // JSON of any length may be a medium, and is one when nothing else is said of it.
    const isMedium = call === 'download' && place === 'nested-arrays'
    expect({ place, call, outcome }).toEqual({
      place,
      call,
      outcome: isMedium ? 'a medium' : 'WECOM_UNREACHABLE',
    })
  }
  expect(taken).toHaveLength(places.length * 2)
  // Counted at the writing end: what the buffers of the system took, and no one read, included. Of a gigabyte.
  for (const [place, bytes] of poured)
    if (place !== 'nested-arrays')
      expect({ place, few: bytes < 128 * MB }).toEqual({ place, few: true })
})
