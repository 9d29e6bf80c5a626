// Uploading with real files, a WeCom and a manifest in memory: what is kept, shared, moved and sent, and what a death in between leaves.
import { appendFile, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ManifestUnwritable, WecomRefused } from '../../src/errors.ts'
import { createKindPolicy } from '../../src/media/kind.ts'
import { isDue, planLife } from '../../src/media/lifetime.ts'
import { WECOM_LIMITS } from '../../src/media/limits.ts'
import {
  createStamp,
  type FileFacts,
  type ManifestEntry,
  stampOfNoFile,
} from '../../src/media/media.ts'
import { stepInAtMs } from '../../src/plan/offers.ts'
import type { Step } from '../../src/plan/step.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import { fingerprintBuffer } from '../../src/transfer/fingerprint.ts'
import { createUploader } from '../../src/transfer/upload.ts'
import type { UploadRequest } from '../../src/wecom/wecom.ts'
import {
  aMediaId,
  anEntry,
  aPath,
  aProblem,
  aReference,
  HOUR_MS,
  NOW_MS,
  THREE_DAYS,
} from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'
import { createMemoryWecom } from '../helpers/memory-wecom.ts'
import { aPng } from '../helpers/samples.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'

const never = new AbortController().signal

async function setUp({ downgrade = true, renewReferences = false, isOneOfMany = false } = {}) {
  const root = await createTempFolder()
  const clock = createFakeClock()
  const wecom = createMemoryWecom({ clock })
  const manifest = createMemoryManifest()
  const events: MirrorEvent[] = []
  const offered: ManifestEntry[] = []
  let beforeSending = async (_: UploadRequest) => {}
  const perform = createUploader({
    root,
    wecom: {
      async upload(request, signal) {
        await beforeSending(request)
        return wecom.upload(request, signal)
      },
    },
    manifest,
    kindPolicy: createKindPolicy({ limits: WECOM_LIMITS, downgrade, rules: [] }),
    renewal: THREE_DAYS,
    renewReferences,
    clock,
    random: () => 0.5,
    ...(isOneOfMany && {
      host: 'here',
      offers: { withBytes: (of) => offered.filter(({ fingerprint }) => fingerprint === of) },
    }),
    emit: (event) => events.push(event),
  })
  const facts = async (name: string): Promise<FileFacts> => {
    const found = await stat(join(root, name))
    const { size: sizeBytes, mtimeMs: modifiedAtMs, ctimeMs: changedAtMs } = found
    return { path: aPath(name), sizeBytes, modifiedAtMs, changedAtMs, stamp: createStamp(found) }
  }
  const upload = async (name: string, because: 'new' | 'changed' = 'new') => {
    const file = await facts(name)
    await perform({ kind: 'upload', path: file.path, file, because }, never)
  }
  const renew = async (name: string) => {
    const [file, entry] = [await facts(name), await manifest.findEntry(aPath(name))]
    if (!entry) throw new Error(`${name} has no entry`)
    const isEarly = !isDue(entry, clock.nowMs())
    await perform({ kind: 'renew', path: file.path, file, entry, isEarly } satisfies Step, never)
  }
  return {
    root,
    clock,
    wecom,
    manifest,
    events,
    facts,
    perform,
    upload,
    renew,
    write: (name: string, content: Buffer | string) => writeFile(join(root, name), content),
    find: (name: string) => manifest.findEntry(aPath(name)),
    whenSending: (act: typeof beforeSending) => {
      beforeSending = act
    },
    said: () => events.map((event) => event.kind),
    offered,
  }
}

it("draws the moment of renewal once, from the service's time of creation", async () => {
  const site = await setUp()
  await site.write('a.png', aPng())
  await site.upload('a.png')
  const entry = await site.find('a.png')
  const createdAtMs = entry?.createdAtMs ?? 0
  expect(entry).toMatchObject({
    kind: 'image',
    expiresAtMs: createdAtMs + 72 * HOUR_MS,
    renewAtMs: createdAtMs + 44 * HOUR_MS,
  })
})

it('keeps the old entry until the new one is durable, and sends nothing twice for a disk that was full', async () => {
  const site = await setUp()
  await site.write('a.png', aPng())
  await site.upload('a.png')
  const before = await site.find('a.png')
  await site.clock.advance(50 * HOUR_MS)
  const { commit } = site.manifest
  site.manifest.commit = () => Promise.reject(new ManifestUnwritable('cannot write: disk full'))
  await expect(site.renew('a.png')).rejects.toThrow('disk full')
  expect(await site.find('a.png')).toEqual(before)
  expect(site.said()).toEqual(['uploaded'])
  site.manifest.commit = commit
  await site.renew('a.png')
  expect(site.wecom.uploads).toHaveLength(2)
  expect((await site.find('a.png'))?.mediaId).toBe(site.wecom.uploads[1]?.mediaId)
  expect(site.said()).toEqual(['uploaded', 'renewed'])
})

it('sends again when the id that could not be recorded is due by the time that it can be', async () => {
  const site = await setUp()
  await site.write('a.png', aPng())
  const { commit } = site.manifest
  site.manifest.commit = () => Promise.reject(new ManifestUnwritable('cannot write: disk full'))
  await expect(site.upload('a.png')).rejects.toThrow('disk full')
  await site.clock.advance(50 * HOUR_MS)
  site.manifest.commit = commit
  await site.upload('a.png')
  expect(site.wecom.uploads).toHaveLength(2)
  expect((await site.find('a.png'))?.mediaId).toBe(site.wecom.uploads[1]?.mediaId)
})

it('keeps an id that was due only by a clock which has been set right since', async () => {
  const site = await setUp()
  await site.write('a.png', aPng())
  await site.upload('a.png')
  const [file, entry] = [await site.facts('a.png'), await site.find('a.png')]
  if (!entry) throw new Error('no entry')
  await site.perform({ kind: 'renew', path: file.path, file, entry, isEarly: false }, never)
  expect(site.wecom.uploads).toHaveLength(1)
  await site.perform({ kind: 'renew', path: file.path, file, entry, isEarly: true }, never)
  expect(site.wecom.uploads).toHaveLength(2)
})

it('shares one upload under way among paths with the same bytes', async () => {
  const site = await setUp()
  for (const name of ['a.png', 'b.png', 'c.png']) await site.write(name, aPng())
  await Promise.all(['a.png', 'b.png', 'c.png'].map((name) => site.upload(name)))
  expect(site.wecom.uploads).toHaveLength(1)
  const ids = await Promise.all(
    ['a.png', 'b.png', 'c.png'].map(async (name) => (await site.find(name))?.mediaId),
  )
  expect(new Set(ids).size).toBe(1)
})

it('does not share a file among names that receivers would see', async () => {
  const site = await setUp()
  await site.write('one.txt', 'the same text')
  await site.write('two.txt', 'the same text')
  await site.upload('one.txt')
  await site.upload('two.txt')
  expect(site.wecom.uploads.map(({ wireName }) => wireName)).toEqual(['one.txt', 'two.txt'])
})

it('knows a file again that was moved into a directory of its own old name', async () => {
  const site = await setUp()
  await site.write('a.png', aPng())
  await site.upload('a.png')
  await rename(join(site.root, 'a.png'), join(site.root, 'draft'))
  await mkdir(join(site.root, 'a.png'))
  await rename(join(site.root, 'draft'), join(site.root, 'a.png/a.png'))
  await site.upload('a.png/a.png')
  expect(site.said()).toEqual(['uploaded', 'renamed'])
  expect(await site.find('a.png')).toBeUndefined()
})

it('moves the entry of a renamed file: with its id where the name does not matter, with a new one where it does', async () => {
  const site = await setUp()
  await site.write('a.png', aPng())
  await site.write('a.txt', 'some text')
  await site.upload('a.png')
  await site.upload('a.txt')
  await rename(join(site.root, 'a.png'), join(site.root, 'b.png'))
  await rename(join(site.root, 'a.txt'), join(site.root, 'b.txt'))
  await site.upload('b.png')
  await site.upload('b.txt')
  expect(site.said().slice(2)).toEqual(['renamed', 'renamed'])
  expect(site.wecom.uploads.map(({ wireName }) => wireName)).toEqual(['a.png', 'a.txt', 'b.txt'])
  expect([await site.find('a.png'), await site.find('a.txt')]).toEqual([undefined, undefined])
})

it('leaves its entry to a path whose file is still to come, and shares the id', async () => {
  const site = await setUp()
  await site.write('a.png', aPng())
  await site.upload('a.png')
  const { path, ...entry } = (await site.find('a.png')) ?? anEntry()
  const stamp = stampOfNoFile(entry.sizeBytes)
  const awaited = { ...entry, path: aPath('awaited.png'), stamp }
  await site.manifest.commit([
    { kind: 'put-entry', entry: awaited },
    { kind: 'drop-entry', path },
  ])
  await site.upload('a.png')
  expect((await site.find('a.png'))?.mediaId).toBe(entry.mediaId)
  expect(await site.find('awaited.png')).toEqual(awaited)
})

it('sends a file again that changed while it was sent, and commits only what it is now', async () => {
  const site = await setUp()
  await site.write('a.bin', Buffer.alloc(2_000_000, 1))
  let isFirst = true
  site.whenSending(async () => {
    if (isFirst) await appendFile(join(site.root, 'a.bin'), 'more')
    isFirst = false
  })
  await site.upload('a.bin')
  expect(await site.find('a.bin')).toMatchObject({ sizeBytes: 2_000_004 })
})

it('gives up on a file that changes each time it is sent, and commits nothing', async () => {
  const site = await setUp()
  await site.write('a.bin', 'beginning')
  site.whenSending(() => appendFile(join(site.root, 'a.bin'), 'more'))
  await expect(site.upload('a.bin')).rejects.toThrow('it changed each of the 3 times')
  expect(await site.find('a.bin')).toBeUndefined()
})

const refusal = (mayGoAsFile: boolean) =>
  new WecomRefused('refused', { errcode: 40123, errmsg: '', remedy: 'skip', mayGoAsFile })

it.each([
  ['sends as file what WeCom refuses as its kind', true, true, 'file'],
  ['does not when the refusal is about the bytes', true, false, undefined],
  ['does not when told not to', false, true, undefined],
] as const)('%s', async (_, downgrade, mayGoAsFile, kind) => {
  const site = await setUp({ downgrade })
  await site.write('a.png', aPng())
  site.wecom.failNext(refusal(mayGoAsFile))
  await site.upload('a.png').catch((error) => expect(error).toBeInstanceOf(WecomRefused))
  expect((await site.find('a.png'))?.kind).toBe(kind)
})

it('never uploads what was downloaded, whether it was touched or moved', async () => {
  const site = await setUp()
  await site.write('in.png', aPng())
  await site.upload('in.png')
  const entry = await site.find('in.png')
  if (!entry) throw new Error('no entry')
  const landed = {
    ...entry,
    origin: 'reference' as const,
    renewAtMs: undefined,
    stamp: anEntry().stamp,
    isHd: true as const,
  }
  await site.manifest.commit([{ kind: 'put-entry', entry: landed }])
  await site.clock.advance(100 * HOUR_MS)
  await site.upload('in.png', 'changed')
  await rename(join(site.root, 'in.png'), join(site.root, 'moved.png'))
  await site.upload('moved.png')
  expect(site.wecom.uploads).toHaveLength(1)
  expect(await site.find('moved.png')).toMatchObject({
    origin: 'reference',
    mediaId: entry.mediaId,
    isHd: true,
  })
})

it('gives what was landed in high definition an id of its own, which the ordinary call knows', async () => {
  const site = await setUp({ renewReferences: true })
  await site.write('voice.speex', 'sixteen thousand a second')
  await site.upload('voice.speex')
  const entry = await site.find('voice.speex')
  if (!entry) throw new Error('no entry')
  const landed = { ...entry, origin: 'reference', renewAtMs: undefined, isHd: true } as const
  await site.manifest.commit([{ kind: 'put-entry', entry: landed }])
  await site.renew('voice.speex')
  const renewed = await site.find('voice.speex')
  expect(renewed).toMatchObject({ kind: 'file', mediaId: site.wecom.uploads[1]?.mediaId })
  expect(renewed).not.toHaveProperty('isHd')
})

it('has nothing to say of a file that vanished before its turn', async () => {
  const site = await setUp()
  await site.write('a.png', aPng())
  const file = await site.facts('a.png')
  await rm(join(site.root, 'a.png'))
  await site.perform({ kind: 'upload', path: file.path, file, because: 'new' }, never)
  expect([site.wecom.attempts, site.said()]).toEqual([0, []])
})

it('keeps nothing of a file that was forgotten since the step was planned, before it was sent or meanwhile', async () => {
  const site = await setUp()
  await site.write('a.png', aPng())
  const { path, stamp } = await site.facts('a.png')
  const note = aProblem({ path, code: 'FORGOTTEN', stamp })
  const forget = () => site.manifest.commit([{ kind: 'put-problem', problem: note }])
  site.whenSending(forget)
  await site.upload('a.png')
  await site.upload('a.png')
  expect(site.wecom.attempts).toBe(1)
  expect([await site.find('a.png'), site.said()]).toEqual([undefined, []])
  expect(await site.manifest.findProblem(path)).toEqual(note)
})

it('uploads a forgotten file again once it has changed', async () => {
  const site = await setUp()
  await site.write('a.png', aPng())
  const { path } = await site.facts('a.png')
  const note = aProblem({ path, code: 'FORGOTTEN', stamp: anEntry().stamp })
  await site.manifest.commit([{ kind: 'put-problem', problem: note }])
  await site.upload('a.png', 'changed')
  expect(site.said()).toEqual(['problem-solved', 'uploaded'])
})

it('recognises a file that took the place of its own directory', async () => {
  const site = await setUp()
  await mkdir(join(site.root, 'd'))
  await site.write('d/a.png', aPng())
  await site.upload('d/a.png')
  await rm(join(site.root, 'd'), { recursive: true })
  await site.write('d', aPng())
  await site.upload('d')
  expect(site.said()).toEqual(['uploaded', 'renamed'])
  expect(await site.find('d/a.png')).toBeUndefined()
})

describe('among several hosts', () => {
  const png = aPng()
  const theirs = (about: Partial<ManifestEntry> = {}) =>
    anEntry({
      path: 'a.png',
      fingerprint: fingerprintBuffer(png),
      mediaId: aMediaId('theirs'),
      ...about,
    })

  it('takes the id that another host has for the same bytes, and renews after it', async () => {
    const site = await setUp({ isOneOfMany: true })
    const offer = theirs()
    site.offered.push(offer)
    await site.write('a.png', png)
    await site.upload('a.png')
    expect(site.wecom.uploads).toEqual([])
    const entry = await site.find('a.png')
    expect(entry).toMatchObject({
      mediaId: 'theirs',
      origin: 'folder',
      renewAtMs: stepInAtMs(offer),
    })
    // The other host did not renew: it is our turn.
    await site.clock.advance(stepInAtMs(offer) - site.clock.nowMs())
    await site.renew('a.png')
    expect(site.wecom.uploads).toHaveLength(1)
    // Now it did, later than we: one upload is enough for the next life.
    const renewed = await site.find('a.png')
    await site.clock.advance((renewed?.renewAtMs ?? 0) - site.clock.nowMs())
    site.offered.push(
      theirs({ mediaId: aMediaId('again'), ...planLife(site.clock.nowMs(), THREE_DAYS, 0) }),
    )
    await site.renew('a.png')
    expect(site.wecom.uploads).toHaveLength(1)
    expect((await site.find('a.png'))?.mediaId).toBe('again')
  })

  it.each([
    ['is dead', { expiresAtMs: NOW_MS }],
    ['nobody renews', { renewAtMs: undefined }],
    ['is of another kind', { kind: 'file' as const }],
    ['was found to be dead', { mediaId: aMediaId('lost') }],
  ])('uploads for itself when the other id %s', async (_, about) => {
    const site = await setUp({ isOneOfMany: true })
    const lost = aReference({ mediaId: 'lost', state: 'lost' })
    await site.manifest.commit([{ kind: 'put-reference', reference: lost }])
    site.offered.push(theirs(about))
    await site.write('a.png', png)
    await site.upload('a.png')
    expect(site.wecom.uploads).toHaveLength(1)
  })

  it('counts its own changes, and nothing else, in the version', async () => {
    const site = await setUp({ isOneOfMany: true })
    const version = async () => (await site.find('a.png'))?.version
    await site.write('a.png', png)
    await site.upload('a.png')
    const first = await version()
    expect(first).toBe(`here:${NOW_MS / 1000}`)
    await site.renew('a.png')
    await site.write('a.png', png)
    await site.upload('a.png', 'changed')
    expect(await version()).toBe(first)
    await site.write('a.png', aPng(1000))
    await site.upload('a.png', 'changed')
    // In the same second, and newer all the same.
    expect(await version()).toBe(`here:${NOW_MS / 1000 + 1}`)
  })

  it('remembers the name that a file had, so that it does not come back from there', async () => {
    const site = await setUp({ isOneOfMany: true })
    await site.write('a.png', png)
    await site.upload('a.png')
    await rename(join(site.root, 'a.png'), join(site.root, 'b.png'))
    await site.upload('b.png')
    expect(await site.manifest.findProblem(aPath('a.png'))).toMatchObject({
      code: 'FORGOTTEN',
      fingerprint: fingerprintBuffer(png),
    })
  })
})
