// A machine that runs out of room or of files to open: the real manifest on a disk that fails when told to, the real uploader, a WeCom in
// memory. The real program on disks that are really full: test/system/full-disk.test.ts.
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, test } from 'vitest'
import { HostUnable } from '../../src/errors.ts'
import { createKindPolicy } from '../../src/media/kind.ts'
import { WECOM_LIMITS } from '../../src/media/limits.ts'
import { createStamp } from '../../src/media/media.ts'
import type { Step } from '../../src/plan/step.ts'
import { createTroubles } from '../../src/serve/troubles.ts'
import { createEvents, type MirrorEvent } from '../../src/support/events.ts'
import { createDiskGuard } from '../../src/transfer/disk-guard.ts'
import { createHeldSteps } from '../../src/transfer/held-steps.ts'
import { createUploader } from '../../src/transfer/upload.ts'
import { anEntry, aPath, aReference, THREE_DAYS } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createMemoryWecom } from '../helpers/memory-wecom.ts'
import { aPng } from '../helpers/samples.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { until } from '../helpers/until.ts'
import { createBreakableFiles } from '../manifest/breakable-files.ts'
import { openState } from '../manifest/state.ts'

const never = new AbortController().signal

async function setUp() {
  const [root, directory] = [await createTempFolder('folder'), await createTempFolder('state')]
  const clock = createFakeClock()
  const disk = createBreakableFiles()
  const wecom = createMemoryWecom({ clock })
  const events = createEvents()
  const told: MirrorEvent[] = []
  events.subscribe((event) => void told.push(event))
  const troubles = createTroubles({ events, clock })
  troubles.start()
  const bugs: unknown[] = []
  const opened = await openState(directory, { clock, files: disk.files })
  const held = createHeldSteps({
    manifest: opened.manifest,
    root,
    clock,
    emit: events.emit,
    onBug: (bug) => bugs.push(bug),
  })
  const { manifest } = held
  const uploader = createUploader({
    root,
    wecom,
    manifest,
    kindPolicy: createKindPolicy({ limits: WECOM_LIMITS, downgrade: true, rules: [] }),
    renewal: THREE_DAYS,
    renewReferences: false,
    clock,
    random: () => 0.5,
    emit: events.emit,
  })
  const performed: string[] = []
  let fetch = async () => {}
  const perform = held.hold(async (step, signal) => {
    performed.push(step.path)
    if (step.kind === 'upload') await uploader(step, signal)
    else await fetch()
  })
  const upload = async (name: string) => {
    const found = await stat(join(root, name))
    const { size: sizeBytes, mtimeMs: modifiedAtMs, ctimeMs: changedAtMs } = found
    const path = aPath(name)
    const file = { path, sizeBytes, modifiedAtMs, changedAtMs, stamp: createStamp(found) }
    await perform({ kind: 'upload', path, file, because: 'new' }, never)
  }
  const land: Step = {
    kind: 'land',
    path: aPath('ref'),
    reference: aReference(),
    expiresAtMs: clock.nowMs(),
  }
  return {
    root,
    clock,
    disk,
    wecom,
    held,
    manifest,
    performed,
    bugs,
    upload,
    fetchWith: (act: typeof fetch) => {
      fetch = act
    },
    land: () => perform(land, never),
    write: (name: string, sizeBytes: number) => writeFile(join(root, name), aPng(sizeBytes)),
    troubles: () => troubles.all().map(({ of }) => of),
    told: (kind: MirrorEvent['kind']) => told.filter((event) => event.kind === kind),
    /** Until the next probe has come to its end, which takes real time. */
    recover: () => until(() => !held.error('downloads'), { meanwhile: () => clock.advance(1000) }),
  }
}

const failWith = (code: string) =>
  Object.assign(new Error(`${code}: write`), { code, syscall: 'write' })

it.each(['ENOSPC', 'EIO', 'EMFILE'])(
  'sends nothing while nothing can be recorded (%s), says so once, and records later what it has',
  async (code) => {
    const site = await setUp()
    for (const [number, name] of ['a', 'b', 'c'].entries()) await site.write(name, 100 + number)
    await site.upload('a')
    site.disk.breakWhen(({ operation, name }) =>
      ['write', 'datasync', 'truncate'].includes(operation) && name.startsWith('manifest.journal')
        ? code
        : undefined,
    )
    await expect(site.upload('b')).rejects.toThrow('cannot record changes')
    expect(await site.manifest.findEntry(aPath('b'))).toBeUndefined()
    for (let attempt = 0; attempt < 5; attempt++) {
      await expect(site.upload('b')).rejects.toThrow(code)
      await expect(site.upload('c')).rejects.toThrow(code)
      // What a person asks for is tried all the same, and acknowledged as little.
      const reference = aReference()
      const asked = site.manifest.commit([{ kind: 'put-reference', reference }])
      await expect(asked).rejects.toThrow(code)
      await site.clock.advance(20_000)
    }
    expect(site.performed).toEqual(['a', 'b'])
    expect(site.wecom.uploads).toHaveLength(2)
    expect(site.told('disk-failed')).toMatchObject([{ of: 'state' }])
    expect(site.troubles()).toEqual(['state'])

    site.disk.repair()
    await site.recover()
    expect(site.told('disk-recovered')).toMatchObject([{ of: 'state' }])
    expect(site.troubles()).toEqual([])
    await site.upload('b')
    await site.upload('c')
    expect(site.wecom.uploads).toHaveLength(3)
    expect((await site.manifest.findEntry(aPath('b')))?.mediaId).toBe(
      site.wecom.uploads[1]?.mediaId,
    )
    expect(site.bugs).toEqual([])
  },
)

it('sends again what has changed since its id could not be recorded', async () => {
  const site = await setUp()
  await site.write('a', 100)
  site.disk.breakWhen(({ operation }) => (operation === 'write' ? 'ENOSPC' : undefined))
  await expect(site.upload('a')).rejects.toThrow('no space')
  site.disk.repair()
  await site.recover()
  await site.write('a', 200)
  await site.upload('a')
  expect(site.wecom.uploads).toHaveLength(2)
  expect((await site.manifest.findEntry(aPath('a')))?.mediaId).toBe(site.wecom.uploads[1]?.mediaId)
})

it('asks for more room than one record takes: a full disk has some left in its last block', async () => {
  const site = await setUp()
  await site.write('a', 100)
  site.disk.breakWhen(({ operation }) => (operation === 'write' ? 'ENOSPC' : undefined))
  await expect(site.upload('a')).rejects.toThrow('no space')
  site.disk.repair()
  site.disk.writeAtMost(4096)
  let writes = 0
  site.disk.breakWhen(({ operation }) =>
    operation === 'write' && ++writes % 4 === 0 ? 'ENOSPC' : undefined,
  )
  // Each attempt that failed is cut off again.
  const cuts = () => site.disk.countOf('truncate')
  await until(() => cuts() > 4, { meanwhile: () => site.clock.advance(30_000) })
  expect(site.held.error('everything')).toBeDefined()
  expect(site.told('disk-recovered')).toEqual([])
})

it.each(['ENOSPC', 'EIO', 'EROFS', 'EDQUOT'])(
  'fetches nothing while the folder takes nothing (%s), and uploads all the same',
  async (code) => {
    const site = await setUp()
    site.fetchWith(() => Promise.reject(failWith(code)))
    await expect(site.land()).rejects.toThrow(HostUnable)
    await expect(site.land()).rejects.toThrow(code)
    expect(site.performed).toHaveLength(1)
    expect(site.told('disk-failed')).toMatchObject([{ of: 'folder' }])
    await site.write('a', 100)
    await site.upload('a')
    expect(site.wecom.uploads).toHaveLength(1)
    site.fetchWith(async () => {})
    await site.recover()
    await site.land()
    expect(site.told('disk-recovered')).toHaveLength(1)
  },
)

it('takes a failing read for the fault of that file', async () => {
  const site = await setUp()
  const step: Step = { kind: 'forget', path: aPath('a'), because: 'gone', evenIfThere: true }
  const broken = failWith('EIO')
  await expect(site.held.hold(() => Promise.reject(broken))(step, never)).rejects.toBe(broken)
  expect(site.held.error('downloads')).toBeUndefined()
})

it('begins nothing while no file can be opened', async () => {
  const site = await setUp()
  await site.manifest.commit([{ kind: 'put-entry', entry: anEntry({ path: 'x' }) }])
  site.fetchWith(() => Promise.reject(failWith('EMFILE')))
  await expect(site.land()).rejects.toThrow('too many files are open (EMFILE)')
  await site.write('a', 100)
  await expect(site.upload('a')).rejects.toThrow(HostUnable)
  expect(site.told('disk-failed')).toMatchObject([{ of: 'handles' }])
  await site.recover()
  await site.upload('a')
})

test('what is given for a moment only is asked for ever more rarely', async () => {
  const clock = createFakeClock()
  const tries: number[] = []
  const guard = createDiskGuard({
    of: 'folder',
    probe: async () => void tries.push(clock.nowMs()),
    clock,
    emit: () => {},
    onBug: (bug) => {
      throw bug
    },
  })
  const failedAtMs: number[] = []
  for (let second = 0; second < 1200; second++) {
    if (!guard.error()) {
      failedAtMs.push(clock.nowMs())
      guard.refused(new HostUnable('no room for something large'))
    }
    await clock.advance(1000)
  }
  const waits = tries.map((at, index) => (at - (failedAtMs[index] ?? 0)) / 1000)
  expect(waits.slice(0, 10)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300])
  await guard.stop()
})

test('a refusal long after the last is asked about at once again', async () => {
  const clock = createFakeClock()
  let tries = 0
  const guard = createDiskGuard({
    of: 'state',
    probe: async () => void tries++,
    clock,
    emit: () => {},
    onBug: () => {},
  })
  for (let round = 1; round <= 5; round++) {
    guard.refused(new HostUnable('full'))
    await clock.advance(1000)
    expect(tries).toBe(round)
    await clock.advance(10 * 60_000)
  }
})
