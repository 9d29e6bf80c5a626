// The whole program: an id that dies before its time is found by the audit, is handed out no more, and gets a successor at once.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { parseConfig } from '../src/config/load.ts'
import { openMirror } from '../src/daemon.ts'
import { createEvents, type MirrorEvent } from '../src/support/events.ts'
import { HOUR_MS } from './helpers/builders.ts'
import { createFakeClock } from './helpers/fake-clock.ts'
import { aPng } from './helpers/samples.ts'
import { createTempFolder } from './helpers/temp-folder.ts'
import { until } from './helpers/until.ts'
import { withSimulator } from './helpers/with-simulator.ts'

it('renews what an audit finds dead, at once', async () => {
  const clock = createFakeClock(Date.now() + HOUR_MS)
  const wecom = await withSimulator({ clock })
  const [folder, state] = [await createTempFolder('folder'), await createTempFolder('state')]
  for (let number = 0; number < 3; number++)
    await writeFile(join(folder, `${number}.png`), aPng(100 + number))
  const text = JSON.stringify({
    wecom: { corpId: 'ww-test', secret: 'secret', baseUrl: wecom.baseUrl },
    folder: { path: folder },
    state,
    // Ticks are real seconds, whatever clock the decisions are given.
    audit: { schedule: '* * * * * *' },
  })
  const config = parseConfig({ text, file: join(state, '../config.yaml'), shownAs: 'test' }, {})
  expect(config.notAvailableYet).toEqual([])
  const events = createEvents()
  const told: MirrorEvent[] = []
  events.subscribe((event) => told.push(event))
  const bugs: unknown[] = []
  const mirror = await openMirror(config, {
    env: {},
    pid: process.pid,
    command: 'test',
    clock,
    random: Math.random,
    events,
    isWatched: false,
    onBug: (error) => bugs.push(error),
  })
  onTestFinished(async () => {
    await mirror.stop()
    expect(bugs).toEqual([])
  })
  await mirror.start()
  const idsOf = async () =>
    new Map((await mirror.desk.list()).map(({ path, media_id }) => [path, media_id]))
  await until(() => told.filter(({ kind }) => kind === 'uploaded').length === 3)
  const before = await idsOf()
  const victim = before.get('1.png') ?? ''
  await wecom.controls.killMedia(victim)
  await clock.advance(8 * HOUR_MS)
  const meanwhile = () => clock.advance(1000)
  await until(() => told.some(({ kind }) => kind === 'renewed'), { what: 'the renewal', meanwhile })
  await until(() => told.some((event) => event.kind === 'audited' && event.checked > 0), {
    what: 'the end of the audit',
    meanwhile,
  })
  expect(told).toContainEqual(
    expect.objectContaining({ kind: 'id-died', path: '1.png', mediaId: victim, pathCount: 1 }),
  )
  expect(told).toContainEqual(
    expect.objectContaining({ kind: 'audited', checked: 3, alive: 2, dead: 1 }),
  )
  const after = await idsOf()
  expect(after.get('1.png')).not.toBe(victim)
  expect([after.get('0.png'), after.get('2.png')]).toEqual([
    before.get('0.png'),
    before.get('2.png'),
  ])
  expect((await mirror.desk.list()).every(({ alive }) => alive)).toBe(true)
}, 30_000)
