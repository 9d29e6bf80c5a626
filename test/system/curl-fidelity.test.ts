// The simulator against curl, the client of the official examples.
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { aJpg, anAmr, aPdf } from '../helpers/samples.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

const run = promisify(execFile)

async function curl(...args: string[]): Promise<string> {
  const { stdout } = await run('curl', ['--silent', '--show-error', '--max-time', '20', ...args])
  return stdout
}

test.each([
  ['image', 'poster.jpg', aJpg(3_000_000)],
  ['file', '二零二六年报价单(终稿).pdf', aPdf(50_000)],
  ['voice', 'greeting.amr', anAmr({ seconds: 60 })],
])('curl -F uploads, and curl -J fetches, %s %s', async (type, name, content) => {
  const { baseUrl, controls } = await withSimulator()
  const folder = await createTempFolder()
  await writeFile(join(folder, name), content)
  const api = `${baseUrl}/cgi-bin`
  const granted = await curl(`${api}/gettoken?corpid=ww1&corpsecret=s`)
  const { access_token: token } = JSON.parse(granted)

  const form = `media=@${join(folder, name)}`
  const uploaded = await curl('-F', form, `${api}/media/upload?access_token=${token}&type=${type}`)
  const { media_id: mediaId } = JSON.parse(uploaded)
  expect(controls.media()[0]).toMatchObject({ mediaId, kind: type, wireName: name })

  const url = `${api}/media/get?access_token=${token}&media_id=${mediaId}`
  await curl('--output', join(folder, 'fetched'), url)
  expect((await readFile(join(folder, 'fetched'))).equals(content)).toBe(true)

  await curl('--output', join(folder, 'part'), '--range', '16-31', url)
  expect((await readFile(join(folder, 'part'))).equals(content.subarray(16, 32))).toBe(true)
})
