// What people send to the app lands in the folder: the real program, called as WeCom calls it.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { encryptMessage, signMessage } from '../../src/simulator/callback-seal.ts'
import type { MessageOptions } from '../../src/simulator/messages.ts'
import { systemClock } from '../../src/support/clock.ts'
import { AES_KEY, aReceiver, TOKEN } from '../helpers/callback.ts'
import { createSite } from '../helpers/program.ts'
import { anAmr, anMp4, aPdf, aPng } from '../helpers/samples.ts'
import { withSimulator } from '../helpers/with-simulator.ts'
import { receiveRush, receiveThroughDeaths } from './callback-rush.ts'

const OTHER_TOKEN = 'CANARYother'

interface Status {
  references: Record<string, number>
  callback: {
    verified: number
    accepted: number
    duplicates: number
    ignored: Record<string, number>
    refused: Record<string, number>
  }
}

it('lands what people send, by day and sender; refuses what is not WeCom’s; keeps its secrets', async () => {
  const wecom = await withSimulator({ clock: systemClock })
  const receiver = await aReceiver()
  const site = await createSite(wecom.baseUrl, receiver.settings)
  const daemon = await site.startDaemon()
  const send = (message: Partial<MessageOptions>) =>
    wecom.controls.sendMessage({ ...receiver.secrets, pauseMs: 0, ...message })
  const call = (message: string, token = TOKEN, key = AES_KEY, corpId = 'ww-test') => {
    const encrypted = encryptMessage(key, message, corpId)
    const query = signMessage(token, encrypted, Date.now())
    return { query, encrypted, body: `<xml><Encrypt>${encrypted}</Encrypt></xml>` }
  }
  const post = async ({ query, body }: { query: URLSearchParams; body: string }) =>
    (await fetch(`${receiver.url}?${query}`, { method: 'POST', body })).status

  const { query, encrypted } = call('5927782489442352469')
  query.set('echostr', encrypted)
  const echo = await fetch(`${receiver.url}?${query}`)
  expect([echo.status, await echo.text()]).toEqual([200, '5927782489442352469'])

  const media = {
    image: ['photo.png', aPng()],
    voice: ['.amr', anAmr()],
    video: ['film.mp4', anMp4()],
    shortvideo: ['short.mp4', anMp4(5000)],
    file: ['报价.pdf', aPdf()],
  } as const
  for (const [type, [name, bytes]] of Object.entries(media)) {
    const content = bytes.toString('base64')
    const sent = await send({ type: type as keyof typeof media, name, content, from: '../张三' })
    expect(sent).toMatchObject({ attempts: [200], isDelivered: true })
    const { entry } = await daemon.saw(
      'landed',
      (line) => (line.entry as { mediaId: string }).mediaId === sent.mediaId,
    )
    expect((entry as { path: string }).path).toMatch(
      /^inbox\/\d{4}-\d\d-\d\d\/_?[._]*张三\/[^/]+\.(png|amr|mp4|pdf)$/,
    )
  }
  for (const type of ['text', 'event', 'location'] as const)
    expect((await send({ type })).attempts).toEqual([200])

  // The newer before the older, and each of them three times: as when WeCom has missed an answer.
  const picture = (number: number) =>
    `<xml><FromUserName>lisi</FromUserName><CreateTime>${1_700_000_000 + number}</CreateTime><MsgType>image</MsgType><MediaId>gone-${number}</MediaId><MsgId>${2n ** 63n + BigInt(number)}</MsgId></xml>`
  for (const number of [2, 1, 2, 1, 1, 2]) expect(await post(call(picture(number)))).toBe(200)

  expect(await post(call(picture(3), OTHER_TOKEN))).toBe(403)
  expect(await post(call(picture(3), TOKEN, 'B'.repeat(43)))).toBe(403)
  expect(await post(call(picture(3), TOKEN, AES_KEY, 'ww-other'))).toBe(403)
  expect(await post({ ...call(''), body: '<xml><Encrypt>' })).toBe(400)
  expect(await post({ ...call(''), body: '{"encrypt":' })).toBe(400)
  const bomb = '<!DOCTYPE x [<!ENTITY e "ha">]><xml><MsgType>&e;</MsgType></xml>'
  expect(await post(call(bomb))).toBe(400)
  expect(await post({ ...call(''), body: 'x'.repeat(300_000) })).toBe(413)

  await daemon.saw('lost', (line) => line.mediaId === 'gone-1')
  const { callback, references } = await site.ask<Status>('status')
  expect(callback).toMatchObject({
    verified: 1,
    accepted: 7,
    duplicates: 4,
    ignored: { text: 1, event: 1, location: 1 },
    refused: { signature: 1, decryption: 1, 'receive-id': 1, malformed: 3, 'too-large': 1 },
  })
  expect(references).toEqual({ accepted: 0, landing: 0, landed: 5, lost: 2 })
  expect((await site.run('status')).stdout).toContain('7 media received (4 repeated)')

  // A token that has been changed in the settings of the app, by the file it is in.
  const tokenFile = join(site.state, '../token')
  await writeFile(tokenFile, `${OTHER_TOKEN}\n`, { mode: 0o600 })
  const change = (token: unknown) =>
    site.configure({ callback: { ...Object(receiver.settings.callback), token } })
  await change({ file: tokenFile })
  daemon.signal('SIGHUP')
  await daemon.saw('config-reloaded')
  expect(await post(call(picture(4), OTHER_TOKEN))).toBe(200)
  expect(await post(call(picture(5)))).toBe(403)
  await writeFile(tokenFile, 'CANARY-with-a-dash')
  daemon.signal('SIGHUP')
  const refused = await daemon.saw('config-refused')
  expect(refused.message).toContain('cannot use `callback.token`')
  expect(await post(call(picture(6), OTHER_TOKEN))).toBe(200)

  const { stdout, stderr } = await daemon.stop()
  const written = await Promise.all(
    (await readdir(site.state))
      .filter((name) => name.endsWith('.json'))
      .map((name) => readFile(join(site.state, name), 'utf8')),
  )
  expect(written.join('')).toContain('gone-1')
  expect([stdout, stderr, ...written].join('')).not.toContain('CANARY')
}, 60_000)

it('keeps its place to itself: a port that is taken ends it with 78, and says so', async () => {
  const wecom = await withSimulator({ clock: systemClock })
  const port = new URL(wecom.baseUrl).port
  const site = await createSite(wecom.baseUrl, {
    callback: { listen: `127.0.0.1:${port}`, token: TOKEN, encodingAesKey: AES_KEY },
  })
  const { code, stderr } = await site.run('run')
  expect(code).toBe(78)
  expect(stderr).toContain(`cannot listen on \`127.0.0.1:${port}\` for messages`)
  expect(stderr).not.toContain('CANARY')
})

it('lands three hundred pictures as fast as they come', async () => {
  await receiveRush(300)
}, 120_000)

it('loses nothing that it acknowledged, and lands nothing twice, however often it is killed', async () => {
  const { repeated } = await receiveThroughDeaths({ count: 60, kills: 3 })
  // Else no death came between a message and its answer.
  expect(repeated).toBeGreaterThan(0)
}, 180_000)
