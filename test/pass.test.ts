// Passes between a folder that is a map, a manifest in memory and steps that do as the test says.

import { describe, expect, it } from 'vitest'
import {
  FileUnreadable,
  ManifestUnwritable,
  MediaUnacceptable,
  WecomUnreachable,
} from '../src/errors.ts'
import type { FileFacts, MediaPath, Reference } from '../src/media/media.ts'
import { createPasses } from '../src/pass.ts'
import { landingPath, type Step } from '../src/plan/step.ts'
import { createRenewalRelease } from '../src/renewal-release.ts'
import type { MirrorEvent } from '../src/support/events.ts'
import { createTransferQueue } from '../src/transfer/transfer-queue.ts'
import {
  aFile,
  anEntry,
  aPath,
  aReference,
  HOUR_MS,
  NOW_MS,
  THREE_DAYS,
} from './helpers/builders.ts'
import { createFakeClock } from './helpers/fake-clock.ts'
import { folderOf } from './helpers/map-folder.ts'
import { createMemoryManifest } from './helpers/memory-manifest.ts'

function setUp(onDelete: 'restore' | 'forget' = 'restore', offered: readonly string[] = []) {
  const clock = createFakeClock(NOW_MS)
  const manifest = createMemoryManifest()
  const files = new Map<MediaPath, FileFacts>()
  const closed = new Set<MediaPath>()
  const told: MirrorEvent[] = []
  const bugs: unknown[] = []
  const performed: string[] = []
  const looked: string[] = []
  let act = async (step: Step) => {
    if (step.kind === 'upload' || step.kind === 'renew')
      await manifest.commit([{ kind: 'put-entry', entry: anEntry({ of: step.file, ageHours: 0 }) }])
    if (step.kind === 'forget') await manifest.commit([{ kind: 'drop-entry', path: step.path }])
  }
  const renewals = createRenewalRelease({
    manifest,
    queue: () => queue,
    rate: () => ({ callsPerHour: 75_000, bytesPerSecond: undefined }),
    policy: THREE_DAYS,
    clock,
  })
  const passes = createPasses({
    renewals,
    folder: {
      ...folderOf(files),
      isUnsettled: (path) => closed.has(path),
      lookAt: (path) => looked.push(path),
    },
    offers: {
      at: (path) => (offered.includes(path) ? [anEntry({ path })] : []),
      paths: () => offered.map(aPath),
    },
    manifest,
    queue: () => queue,
    perform: (step) => {
      performed.push(`${step.kind} ${step.path.replace('\0', '')}`)
      return act(step)
    },
    policy: {
      onDelete,
      lifetimeMs: THREE_DAYS.lifetimeMs,
      renewReferences: false,
      isIgnored: () => false,
      host: 'here',
    },
    clock,
    isOutage: () => false,
    emit: (event) => told.push(event),
    onBug: (bug) => void bugs.push(bug),
  })
  const queue = createTransferQueue({
    perform: passes.perform,
    onOverlap: (path) => passes.request({ because: 'overlap', paths: [path] }),
    admits: () => true,
    isProbing: () => false,
    random: () => 0,
    slots: () => ({ uploads: 4, downloads: 4 }),
    pressure: () => renewals.outlook().pressure,
    askedAtMs: () => undefined,
    clock,
    after: clock.after,
    waitMs: () => 0,
  })
  return {
    manifest,
    clock,
    performed,
    looked,
    bugs,
    passes,
    closed,
    events: told as readonly MirrorEvent[],
    told: () => told.map(({ kind }) => kind),
    put: (...paths: string[]) => {
      for (const path of paths) files.set(aPath(path), aFile({ path, sizeBytes: 100 + files.size }))
    },
    remove: (path: string) => files.delete(aPath(path)),
    whenPerforming: (next: typeof act) => {
      act = next
    },
    async pass(request: Parameters<typeof passes.request>[0]) {
      passes.request(request)
      await passes.planned()
      await queue.idle()
    },
  }
}

const tick = { because: 'tick', due: true }
const outage = () => Promise.reject(new WecomUnreachable('cannot reach WeCom'))

describe('passes', () => {
  it('merge what is asked for in one breath into one', async () => {
    const site = setUp()
    site.put('a.jpg', 'b.jpg')
    site.passes.request({ because: 'one', paths: [aPath('a.jpg')] })
    await site.pass({ because: 'two', paths: [aPath('b.jpg')] })
    expect(site.performed).toEqual(['upload a.jpg', 'upload b.jpg'])
    expect(site.told().filter((kind) => kind === 'pass-planned')).toHaveLength(1)
  })

  it('take up on the next tick what was postponed, and nothing else', async () => {
    const site = setUp()
    const works = async () => {}
    site.put('a.jpg', 'b.jpg')
    site.whenPerforming((step) => (step.path === 'a.jpg' ? outage() : works()))
    await site.pass({ because: 'scan', all: true })
    site.performed.length = 0
    await site.pass(tick)
    expect(site.performed).toEqual(['upload a.jpg'])
  })

  it('try a file with a fault of its own ever more rarely, and what the service failed on at every tick', async () => {
    const site = setUp()
    site.put('bad.jpg', 'good.jpg')
    site.whenPerforming((step) =>
      step.path === 'bad.jpg'
        ? Promise.reject(new FileUnreadable('cannot read `bad.jpg`: permission denied (EACCES)'))
        : outage(),
    )
    await site.pass({ because: 'scan', all: true })
    site.performed.length = 0
    const triedAtMinute: number[] = []
    for (let minute = 5; minute <= 360; minute += 5) {
      await site.clock.advance(5 * 60_000)
      const before = site.performed.filter((step) => step === 'upload bad.jpg').length
      await site.pass(tick)
      if (site.performed.filter((step) => step === 'upload bad.jpg').length > before)
        triedAtMinute.push(minute)
    }
    expect(triedAtMinute).toEqual([5, 10, 20, 40, 80, 140, 200, 260, 320])
    expect(site.performed.filter((step) => step === 'upload good.jpg')).toHaveLength(72)
    expect(site.bugs).toEqual([])
  })

  it('try again what was postponed while the clock was a day ahead', async () => {
    const site = setUp()
    site.put('new.jpg')
    site.clock.leap(24 * HOUR_MS)
    site.whenPerforming(outage)
    await site.pass({ because: 'scan', all: true })
    site.clock.leap(-24 * HOUR_MS)
    site.performed.length = 0
    await site.pass(tick)
    expect(site.performed).toEqual(['upload new.jpg'])
  })

  it('do not forget what was postponed because somebody looked at the plan', async () => {
    const site = setUp()
    site.put('a.jpg')
    site.whenPerforming(outage)
    await site.pass({ because: 'scan', all: true })
    expect(await site.passes.preview()).toHaveLength(1)
    expect(await site.passes.findMissing()).toEqual(new Set())
    site.performed.length = 0
    await site.pass(tick)
    expect(site.performed).toEqual(['upload a.jpg'])
  })

  it('find what has become due, once it has', async () => {
    const site = setUp()
    site.put('a.jpg')
    await site.pass({ because: 'scan', all: true })
    site.performed.length = 0
    await site.clock.advance(47 * HOUR_MS)
    await site.pass(tick)
    await site.clock.advance(2 * HOUR_MS)
    await site.pass(tick)
    expect(site.performed).toEqual(['renew a.jpg'])
  })

  it('wait with a missing file until every new one of its size has been looked at', async () => {
    const site = setUp()
    site.put('old.jpg')
    await site.pass({ because: 'scan', all: true })
    site.remove('old.jpg')
    site.performed.length = 0
    site.whenPerforming(outage)
    // The same size as the old one had: perhaps it is the old one.
    site.put('new.jpg')
    await site.pass({ because: 'event', paths: [aPath('old.jpg'), aPath('new.jpg')] })
    await site.clock.advance(60_000)
    await site.pass({ because: 'restore tick', missing: true })
    expect(site.performed).not.toContain('restore old.jpg')
  })
})

describe('when most files are gone at once', () => {
  const many = Array.from({ length: 30 }, (_, i) => `${i}.jpg`)
  const restoreTick = { because: 'restore tick', missing: true }

  async function aLoss(onDelete: 'restore' | 'forget') {
    const site = setUp(onDelete)
    site.put(...many)
    await site.pass({ because: 'scan', all: true })
    for (const path of many) site.remove(path)
    await site.pass({ because: 'event', paths: many.map(aPath) })
    await site.clock.advance(60_000)
    site.performed.length = 0
    return site
  }

  it.each(['restore', 'forget'] as const)(
    'passes leave them alone, say so once, and go on with the rest (%s)',
    async (onDelete) => {
      const site = await aLoss(onDelete)
      site.put('new.jpg')
      await site.pass({ ...restoreTick, paths: [aPath('new.jpg')] })
      await site.pass(restoreTick)
      expect(site.performed).toEqual(['upload new.jpg'])
      expect(site.told().filter((kind) => kind === 'folder-doubted')).toHaveLength(1)
      expect(await site.passes.doubt()).toMatchObject({
        because: expect.stringContaining('30 files are gone'),
      })
    },
  )

  it('a person can have them all back, also where deleted files are forgotten', async () => {
    const site = await aLoss('forget')
    await site.pass(restoreTick)
    site.passes.takeWord(await site.passes.findMissing())
    expect(await site.passes.doubt()).toBeNull()
    await site.pass(restoreTick)
    expect(site.performed.sort()).toEqual(many.map((path) => `restore ${path}`).sort())
    expect(site.told()).toContain('folder-believed')
  })

  it('nothing is said while each may be there under a new name', async () => {
    const site = await aLoss('forget')
    site.whenPerforming(outage)
    // Sizes as before: a directory was renamed, and nobody has read the files yet.
    for (const [at, path] of many.entries()) site.put(path, `new/${at}.jpg`)
    for (const path of many) site.remove(path)
    await site.pass({ because: 'scan', all: true })
    await site.pass(restoreTick)
    expect(site.told()).not.toContain('folder-doubted')
    expect(await site.passes.doubt()).toBeNull()
  })
})

describe('a file that goes while it is uploaded', () => {
  it.each(['its entry', 'its problem'])('is looked at again, and %s goes as well', async (what) => {
    const site = setUp('forget')
    site.put('a.jpg')
    const { commit } = site.manifest
    site.whenPerforming(async (step) => {
      if (step.kind === 'forget') return commit([{ kind: 'drop-entry', path: step.path }])
      if (step.kind !== 'upload') return commit([{ kind: 'drop-problem', path: step.path }])
      site.remove('a.jpg')
      // Heard of at once, when there is nothing yet that could be missing.
      site.passes.request({ because: 'event', paths: [step.path] })
      await site.passes.planned()
      if (what === 'its problem') throw new MediaUnacceptable('cannot upload `a.jpg`: no')
      await commit([{ kind: 'put-entry', entry: anEntry({ of: step.file, ageHours: 0 }) }])
    })
    await site.pass({ because: 'event', paths: [aPath('a.jpg')] })
    const restoreTick = { because: 'restore tick', missing: true }
    await site.pass(restoreTick)
    await site.clock.advance(1_000)
    await site.pass(restoreTick)
    expect(await site.manifest.count()).toMatchObject({ entries: 0, problems: 0 })
  })
})

it('a file that went behind a closed directory is looked at again until that is open', async () => {
  const site = setUp('forget')
  site.put('d/a.jpg')
  await site.pass({ because: 'scan', all: true })
  const path = aPath('d/a.jpg')
  site.closed.add(path)
  site.remove(path)
  const restoreTick = { because: 'restore tick', missing: true }
  await site.pass({ ...restoreTick, paths: [path] })
  expect(site.performed).not.toContain('forget d/a.jpg')
  site.closed.delete(path)
  await site.pass(restoreTick)
  await site.clock.advance(1_000)
  await site.pass(restoreTick)
  expect(site.performed).toContain('forget d/a.jpg')
})

describe('a failed step', () => {
  it("of the file's own fault becomes a problem, and is not tried again", async () => {
    const site = setUp()
    site.put('a.jpg')
    site.whenPerforming(() => Promise.reject(new MediaUnacceptable('cannot upload `a.jpg`: no')))
    await site.pass({ because: 'scan', all: true })
    await site.pass(tick)
    expect(site.performed).toHaveLength(1)
    expect(await site.manifest.findProblem(aPath('a.jpg'))).toMatchObject({
      code: 'MEDIA_UNACCEPTABLE',
      message: 'cannot upload `a.jpg`: no',
    })
  })

  it('is postponed, and no bug, when not even its problem can be recorded', async () => {
    const site = setUp()
    site.put('a.jpg')
    const { commit } = site.manifest
    site.manifest.commit = () => Promise.reject(new ManifestUnwritable('cannot write: disk full'))
    site.whenPerforming(() => Promise.reject(new MediaUnacceptable('no')))
    await site.pass({ because: 'scan', all: true })
    expect(site.bugs).toEqual([])
    expect(site.told()).toContain('step-postponed')
    site.manifest.commit = commit
    await site.pass(tick)
    expect(await site.manifest.findProblem(aPath('a.jpg'))).toBeDefined()
  })

  it('to land is no loss of what is wanted elsewhere by now', async () => {
    const site = setUp()
    const reference = aReference({ path: aPath('a.jpg') })
    const elsewhere = aReference({ path: aPath('b.jpg') })
    await site.manifest.commit([{ kind: 'put-reference', reference }])
    site.whenPerforming(async () => {
      await site.manifest.commit([{ kind: 'put-reference', reference: elsewhere }])
      throw new MediaUnacceptable('cannot land `a.jpg`: the folder ignores files of that name')
    })
    await site.pass(tick)
    expect(await site.manifest.findReference(reference.mediaId)).toEqual(elsewhere)
  })

  it('to land for want of room leaves the reference accepted, and is tried on every tick', async () => {
    const site = setUp()
    await site.manifest.commit([{ kind: 'put-reference', reference: aReference() }])
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'write' })
    site.whenPerforming(() => Promise.reject(full))
    await site.pass(tick)
    await site.pass(tick)
    expect(site.performed).toEqual(['land ref-1', 'land ref-1'])
    expect(await site.manifest.findReference(aReference().mediaId)).toMatchObject({
      state: 'accepted',
    })
  })

  it('to land for good is told of with the path that the medium was to have, or none', async () => {
    const site = setUp()
    site.whenPerforming(() => Promise.reject(new MediaUnacceptable('1000 files have the name')))
    for (const about of [{}, { path: aPath('a.jpg') }]) {
      await site.manifest.commit([{ kind: 'put-reference', reference: aReference(about) }])
      await site.pass(tick)
    }
    expect(site.events.flatMap((event) => (event.kind === 'lost' ? [event.path] : []))).toEqual([
      '',
      'a.jpg',
    ])
  })

  it('to land says what was to land where, also of what has no path yet', async () => {
    const site = setUp()
    const closed = Object.assign(new Error('no'), { code: 'EACCES', syscall: 'link' })
    site.whenPerforming(() => Promise.reject(closed))
    const failures = async (about: Partial<Reference>) => {
      const reference = { ...aReference(), ...about }
      await site.manifest.commit([{ kind: 'put-reference', reference }])
      await site.pass({ ...tick, asked: true })
      const path = landingPath(reference.mediaId, reference.path)
      return site.passes.lastError(path)?.message
    }
    expect(await failures({})).toBe('cannot land ref-1 in the inbox: link failed with EACCES')
    expect(await failures({ into: aPath('in') })).toBe(
      'cannot land ref-1 in in: link failed with EACCES',
    )
    expect(await failures({ path: aPath('a.jpg') })).toBe(
      'cannot land `a.jpg`: link failed with EACCES',
    )
  })

  it('to land where nothing can be written is tried ever more rarely, since each time fetches it anew, and at once when asked for', async () => {
    const site = setUp()
    const reference = aReference()
    await site.manifest.commit([{ kind: 'put-reference', reference }])
    site.whenPerforming(() => Promise.reject(new FileUnreadable('cannot write')))
    const minutes = async (count: number) => {
      for (let minute = 0; minute < count; minute++) {
        await site.clock.advance(60_000)
        await site.pass(tick)
      }
      return site.performed.splice(0).length
    }
    expect(await minutes(60)).toBeLessThan(10)
    expect(await minutes(12 * 60)).toBe(12)
    await site.pass({ ...tick, paths: [landingPath(reference.mediaId)] })
    await site.pass({ ...tick, asked: true })
    expect(site.performed).toHaveLength(2)
  })

  it('to see that a file is gone is tried again, and is no problem of that file', async () => {
    const site = setUp('forget')
    site.put('a.jpg')
    await site.pass({ because: 'scan', all: true })
    site.remove('a.jpg')
    const closed = Object.assign(new Error('no'), { code: 'EACCES', syscall: 'lstat' })
    site.whenPerforming(() => Promise.reject(closed))
    const restore = { because: 'restore tick', missing: true, asked: true }
    for (let tick = 0; tick < 2; tick++) await site.pass({ ...restore, paths: [aPath('a.jpg')] })
    expect(site.performed.slice(-2)).toEqual(['forget a.jpg', 'forget a.jpg'])
    expect(await site.manifest.findProblem(aPath('a.jpg'))).toBeUndefined()
    expect(site.bugs).toEqual([])
  })

  it('that nobody foresaw is a bug', async () => {
    const site = setUp()
    site.put('a.jpg')
    site.whenPerforming(() => Promise.reject(new TypeError('undefined is not a function')))
    await site.pass({ because: 'scan', all: true })
    expect(site.bugs).toHaveLength(1)
  })

  it('to read is told once, and tried on every tick', async () => {
    const site = setUp()
    site.put('a.jpg')
    site.whenPerforming(() => Promise.reject(new FileUnreadable('cannot read `a.jpg`')))
    await site.pass({ because: 'scan', all: true })
    await site.pass(tick)
    expect(site.performed).toHaveLength(2)
    expect(site.told().filter((kind) => kind === 'problem-found')).toHaveLength(1)
  })
})

describe('a file that a step found otherwise than the folder did', () => {
  it('is looked at on the disk, and not read again and again until the next rescan', async () => {
    const { manifest, pass, put, whenPerforming, performed, looked } = setUp('restore', ['a.png'])
    put('a.png')
    whenPerforming(async (step) => {
      if (step.kind !== 'upload') return
      const entry = anEntry({ of: step.file, ageHours: 0 })
      const stamp = performed.length < 5 ? anEntry({ path: 'other.png' }).stamp : entry.stamp
      await manifest.commit([{ kind: 'put-entry', entry: { ...entry, stamp } }])
    })
    await pass({ because: 'test', paths: [aPath('a.png')] })
    expect(performed).toEqual(['upload a.png'])
    expect(looked).toEqual(['a.png'])
  })
})
