// The long form of test/e2e/pull.test.ts: as many media as one command takes.
import { expect, it } from 'vitest'
import { MOST_PULLED } from '../../src/serve/desk.ts'
import { systemClock } from '../../src/support/clock.ts'
import { createSite } from '../helpers/program.ts'
import { aPng } from '../helpers/samples.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

it.each(['without a daemon', 'with a daemon'])('pulls the most that may be, %s', async (mode) => {
  const wecom = await withSimulator({ clock: systemClock })
  const site = await createSite(wecom.baseUrl)
  if (mode === 'with a daemon') await site.startDaemon()
  const ids: string[] = []
  for (let number = 0; number < MOST_PULLED; number++) {
    const about = { kind: 'image', wireName: `${number}.png`, content: aPng(100) } as const
    ids.push(await wecom.controls.addMedia(about))
  }
  const startedAtMs = performance.now()
  const pull = site.begin('pull', '-', '--to', 'd/')
  pull.stdin.end(ids.join('\n'))
  const { code, stdout, stderr } = await pull.ended()
  console.log(`${MOST_PULLED} media ${mode}: ${(performance.now() - startedAtMs) | 0} ms`)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(new Set(stdout.trim().split('\n')).size).toBe(MOST_PULLED)
  expect(wecom.controls.counts().get).toBe(MOST_PULLED)
})
