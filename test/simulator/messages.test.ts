// The simulator as the sender of messages: what it closes, WeCom's own package opens; three attempts, and no more.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as official from '@wecom/crypto'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { until } from '../helpers/until.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { download, fetchToken, send } from './calls.ts'

const KEY = 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C'
const TOKEN = 'QDG6eK'

interface Heard {
  readonly query: URLSearchParams
  readonly body: string
}

/** An app that answers with these, one after the other; 0 hangs up. */
async function anApp(...statuses: number[]) {
  const heard: Heard[] = []
  const server = createServer(async (request, response) => {
    heard.push({
      query: new URL(request.url ?? '', 'http://x').searchParams,
      body: await textOf(request),
    })
    const status = statuses.shift() ?? 200
    if (status === 0) request.socket.destroy()
    else response.writeHead(status).end()
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await until(() => server.listening)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback?own=1`
  return { heard, to: { url, token: TOKEN, encodingAesKey: KEY, corpId: 'ww1', pauseMs: 0 } }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of request.setEncoding('utf8')) text += part
  return text
}

const live = () => withSimulator({ clock: systemClock, controls: true })

test('a picture is stored, and its message signed and encrypted for the corp', async () => {
  const { baseUrl, controls } = await live()
  const { heard, to } = await anApp()
  const sent = await controls.sendMessage({ ...to, from: '张]]>三' })
  expect(sent).toMatchObject({ attempts: [200], isDelivered: true })
  const [{ query, body } = { query: new URLSearchParams(), body: '' }] = heard
  const encrypted = /<Encrypt><!\[CDATA\[(.*?)]]><\/Encrypt>/.exec(body)?.[1] ?? ''
  const [timestamp, nonce] = [query.get('timestamp') ?? '', query.get('nonce') ?? '']
  expect(query.get('own')).toBe('1')
  expect(query.get('msg_signature')).toBe(official.getSignature(TOKEN, timestamp, nonce, encrypted))
  const { message, id } = official.decrypt(KEY, encrypted)
  expect(id).toBe('ww1')
  expect(message).toContain(`<MediaId><![CDATA[${sent.mediaId}]]></MediaId>`)
  expect(message).toContain(`<MsgId>${sent.messageId}</MsgId>`)
  expect(message).toContain('<![CDATA[张]]]]><![CDATA[>三]]>')
  // No two messages have the same id, also where a number would have rounded them.
  const next = await controls.sendMessage({ ...to, type: 'text' })
  expect([Number(next.messageId), next.mediaId]).toEqual([Number(sent.messageId), undefined])
  expect(next.messageId).not.toBe(sent.messageId)
  const fetched = await download(baseUrl, {
    token: await fetchToken(baseUrl, 'ww1'),
    mediaId: sent.mediaId ?? '',
  })
  expect(fetched.status).toBe(200)
})

test.each([
  ['voice', 'voice.amr', '#!AMR'],
  ['video', 'video.mp4', 'ftyp'],
  ['file', 'file.txt', 'hello'],
] as const)('a %s of which nothing is said is one', async (type, name, start) => {
  const { baseUrl, controls } = await live()
  const { to } = await anApp()
  const { mediaId = '' } = await controls.sendMessage({ ...to, type })
  const fetched = await download(baseUrl, { token: await fetchToken(baseUrl, 'ww1'), mediaId })
  expect(fetched.headers['content-disposition']).toContain(name)
  expect(fetched.body.toString()).toContain(start)
})

test('an app that fails is called three times in all', async () => {
  const { controls } = await live()
  const { heard, to } = await anApp(500, 0)
  expect(await controls.sendMessage(to)).toMatchObject({
    attempts: [500, 'no answer', 200],
    isDelivered: true,
  })
  const deaf = await anApp(500, 403, 204, 200)
  expect(await controls.sendMessage(deaf.to)).toMatchObject({
    attempts: [500, 403, 204],
    isDelivered: false,
  })
  expect([heard.length, deaf.heard.length]).toEqual([3, 3])
})

test('it is had over HTTP as well', async () => {
  const { baseUrl } = await live()
  const { heard, to } = await anApp()
  const url = `${baseUrl}/_simulator/messages`
  const body = JSON.stringify({ ...to, type: 'voice', content: 'IyFBTVI=', form: 'json' })
  const answer = await send(url, { method: 'POST', body })
  expect(JSON.parse(answer.body.toString())).toMatchObject({ attempts: [200], isDelivered: true })
  expect(JSON.parse(heard[0]?.body ?? '{}')).toMatchObject({ tousername: 'ww1', agentid: '1' })
  const mistaken = await send(url, {
    method: 'POST',
    body: JSON.stringify({ ...to, url: 'ftp://x' }),
  })
  expect([mistaken.status, mistaken.body.toString()]).toEqual([400, expect.stringContaining('url')])
})
