// Many people send at once, and the program dies meanwhile: what it acknowledged lands, once. The short form runs with every change,
// the long one before a release.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { aReceiver, landedCounts, type Sent, sendPictures } from '../helpers/callback.ts'
import { createSite, type Daemon, type Site } from '../helpers/program.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

/** While twenty people send, on a machine that does much else. */
const START_WITHIN_MS = 60_000
const LOG = { log: { level: 'info' } }

/** All are answered at once, and all land. Answers with how long the answers and the landing took. */
export async function receiveRush(
  count: number,
): Promise<{ answeredMs: number; landedMs: number }> {
  const wecom = await withSimulator({ clock: systemClock })
  const receiver = await aReceiver()
  const site = await createSite(wecom.baseUrl, { ...receiver.settings, ...LOG })
  const daemon = await site.startDaemon()
  const beganAtMs = performance.now()
  const sent = await sendPictures(wecom.controls, receiver, { count, pauseMs: 1000 })
  const answeredMs = performance.now() - beganAtMs
  expect(sent.filter(({ isDelivered }) => !isDelivered)).toEqual([])
  await expectOnce(site, sent, sent)
  const landedMs = performance.now() - beganAtMs
  await daemon.stop()
  await expectRemembered(site, sent)
  return { answeredMs, landedMs }
}

/** The program is killed so often while they send; each time after a while that nobody chose. */
export async function receiveThroughDeaths(rush: {
  count: number
  kills: number
}): Promise<{ delivered: number; repeated: number }> {
  const wecom = await withSimulator({ clock: systemClock })
  const receiver = await aReceiver()
  const site = await createSite(wecom.baseUrl, { ...receiver.settings, ...LOG })
  let daemon = await site.startDaemon('callback-listening')
  let isOver = false
  const sent: Sent[] = []
  const sending = sendUntilKilled()
  for (let kill = 0; kill < rush.kills; kill++) {
    await sleep(50 + Math.random() * 1500)
    daemon = await killAndRestart(site, daemon)
  }
  isOver = true
  await sending
  const delivered = sent.filter(({ isDelivered }) => isDelivered)
  await expectOnce(site, sent, delivered)
  await daemon.stop()
  await expectRemembered(site, delivered)
  return {
    delivered: delivered.length,
    repeated: sent.filter(({ attempts }) => attempts.length > 1).length,
  }

  /** At least so many, and as long as there are deaths to come. */
  async function sendUntilKilled() {
    while (!isOver || sent.length < rush.count)
      sent.push(
        ...(await sendPictures(wecom.controls, receiver, {
          count: 20,
          firstNumber: sent.length,
          pauseMs: 4000,
        })),
      )
  }
}

async function killAndRestart(site: Site, daemon: Daemon): Promise<Daemon> {
  daemon.signal('SIGKILL')
  await daemon.ended()
  return site.startDaemon('callback-listening', START_WITHIN_MS)
}

/** What was delivered is in the folder; of all that was sent, nothing is there twice. */
async function expectOnce(site: Site, sent: readonly Sent[], delivered: readonly Sent[]) {
  const counts = await landedCounts(site, delivered)
  const strange = sent.filter(({ sha256 }) => (counts.get(sha256) ?? 0) > 1)
  expect(strange).toEqual([])
  const known = new Set(sent.map(({ sha256 }) => sha256))
  expect([...counts.keys()].filter((sha256) => !known.has(sha256))).toEqual([])
}

async function expectRemembered(site: Site, delivered: readonly Sent[]) {
  const { references } = (await site.document()) as unknown as {
    references: Record<string, { state: string; message_id: string; landed_path: string }>
  }
  const wrong = delivered.filter(({ mediaId = '', messageId }) => {
    const reference = references[mediaId]
    return reference?.state !== 'landed' || reference.message_id !== messageId
  })
  expect(wrong).toEqual([])
}
