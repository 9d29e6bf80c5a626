// Restoring and landing with real files, a WeCom and a manifest in memory: whose path it is, and what stands when it goes wrong.
import { readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { WecomRefused } from '../../src/errors.ts'
import { createKindPolicy } from '../../src/media/kind.ts'
import { WECOM_LIMITS } from '../../src/media/limits.ts'
import {
  createStamp,
  type ManifestEntry,
  type MediaId,
  type Reference,
  ROOT,
} from '../../src/media/media.ts'
import { createAcceptance } from '../../src/references/acceptance.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import { createTurns } from '../../src/support/turns.ts'
import { createDeadIds } from '../../src/transfer/dead-ids.ts'
import { createDownloader } from '../../src/transfer/download.ts'
import { fingerprintBuffer } from '../../src/transfer/fingerprint.ts'
import {
  aFingerprint,
  aMediaId,
  anEntry,
  aPath,
  aReference,
  HOUR_MS,
  NOW_MS,
} from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'
import { createMemoryWecom } from '../helpers/memory-wecom.ts'
import { aJpg, anAmr, anMp4, aPdf } from '../helpers/samples.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { plant } from '../helpers/tree.ts'

const never = new AbortController().signal
const bytes = Buffer.from('the poster')

async function setUp(files: Record<string, string> = {}) {
  const root = await createTempFolder()
  plant(root, files)
  const clock = createFakeClock(NOW_MS)
  const wecom = createMemoryWecom({ clock })
  const manifest = createMemoryManifest()
  const events: MirrorEvent[] = []
  const emit = (event: MirrorEvent) => void events.push(event)
  let meanwhile = async () => {}
  let inbox = 'inbox/{name}'
  const referenceTurns = createTurns<MediaId>()
  const downloader = createDownloader({
    root,
    referenceTurns,
    room: { require: async () => {} },
    wecom: {
      async download(request, signal) {
        const answer = await wecom.download(request, signal)
        await meanwhile()
        return answer
      },
    },
    manifest,
    kindPolicy: createKindPolicy({ limits: WECOM_LIMITS, downgrade: true, rules: [] }),
    lifetimeMs: 72 * HOUR_MS,
    isIgnored: (path) => path.endsWith('.tmp'),
    inboxOf: () => inbox,
    clock,
    emit,
    deadIds: createDeadIds({ manifest, clock, emit, onDead: () => {} }),
  })
  const store = (content: Buffer | string, name = 'photo.jpg') =>
    wecom.store({ name, bytes: Buffer.from(content) })
  return {
    root,
    wecom,
    manifest,
    events,
    acceptance: createAcceptance({
      manifest,
      clock,
      emit,
      requestLanding: () => {},
      turns: referenceTurns,
    }),
    store,
    said: () => events.map(({ kind }) => kind),
    find: (path: string) => manifest.findEntry(aPath(path)),
    problem: (path: string) => manifest.findProblem(aPath(path)),
    read: (path: string) => readFile(join(root, path), 'utf8'),
    /** Every file below the root, temporaries included. */
    names: async () =>
      (await readdir(root, { recursive: true, withFileTypes: true }))
        .filter((found) => !found.isDirectory())
        .map((found) => join(found.parentPath, found.name).slice(root.length + 1))
        .sort(),
    stampOf: async (path: string) => createStamp(await stat(join(root, path))),
    know: async (about: Parameters<typeof anEntry>[0]) => {
      const fingerprint = fingerprintBuffer(bytes)
      const entry = anEntry({ fingerprint, sizeBytes: bytes.length, ...about })
      await manifest.commit([{ kind: 'put-entry', entry }])
      return entry
    },
    inbox: (template: string) => {
      inbox = template
    },
    land: async (mediaId: string, path?: string, about: Partial<Reference> = {}) => {
      const reference = aReference({
        mediaId,
        ...about,
        ...(path !== undefined && { path: aPath(path) }),
      })
      await manifest.commit([{ kind: 'put-reference', reference }])
      const expiresAtMs = NOW_MS + 72 * HOUR_MS
      const step = { kind: 'land', path: aPath(path ?? mediaId), reference, expiresAtMs } as const
      return downloader.land(step, never)
    },
    /** Performs a step that was planned when the reference was open. */
    landLate: (reference: Reference) =>
      downloader.land(
        {
          kind: 'land',
          path: aPath(reference.mediaId),
          reference,
          expiresAtMs: NOW_MS + 72 * HOUR_MS,
        },
        never,
      ),
    restore: (entry: ManifestEntry) =>
      downloader.restore({ kind: 'restore', path: entry.path, entry }, never),
    whileDownloading: (act: typeof meanwhile) => {
      meanwhile = act
    },
  }
}

it('restores the bytes with their time of modification, and keeps the id', async () => {
  const site = await setUp()
  const entry = await site.know({ path: 'd/a.jpg', mediaId: site.store(bytes) })
  await site.restore(entry)
  expect(await site.read('d/a.jpg')).toBe('the poster')
  expect(await site.names()).toEqual(['d/a.jpg'])
  expect(await site.find('d/a.jpg')).toEqual({ ...entry, stamp: await site.stampOf('d/a.jpg') })
  expect(site.said()).toEqual(['restored'])
})

it('writes nothing at a restore when the bytes are not those that were uploaded', async () => {
  const site = await setUp()
  const entry = await site.know({ path: 'a.jpg', mediaId: site.store('the poste') })
  await expect(site.restore(entry)).rejects.toThrow('are not the 10 bytes that were uploaded')
  expect([await site.names(), await site.find('a.jpg')]).toEqual([[], entry])
})

it('restores nothing that was forgotten since, before the download or during it', async () => {
  const site = await setUp()
  const entry = await site.know({ path: 'a.jpg', mediaId: site.store(bytes) })
  const forget = () => site.manifest.commit([{ kind: 'drop-entry', path: entry.path }])
  site.whileDownloading(forget)
  await site.restore(entry)
  await site.restore(entry)
  expect(site.wecom.downloads).toHaveLength(1)
  expect([await site.names(), await site.find('a.jpg'), site.said()]).toEqual([[], undefined, []])
})

it('takes a restored file away again when its path was forgotten while it was placed', async () => {
  const site = await setUp()
  const entry = await site.know({ path: 'a.jpg', mediaId: site.store(bytes) })
  const { findEntry } = site.manifest
  let looks = 0
  site.manifest.findEntry = async (path) => (++looks < 3 ? findEntry(path) : undefined)
  await site.restore(entry)
  expect([looks, await site.names(), site.said()]).toEqual([3, [], []])
})

it('leaves a file alone that somebody wrote during the restore', async () => {
  const site = await setUp()
  const entry = await site.know({ path: 'a.jpg', mediaId: site.store(bytes) })
  site.whileDownloading(() => writeFile(join(site.root, 'a.jpg'), 'theirs'))
  await site.restore(entry)
  expect([await site.read('a.jpg'), await site.names()]).toEqual(['theirs', ['a.jpg']])
  expect(await site.find('a.jpg')).toEqual(entry)
})

it('fetches nothing while a file stands where a directory must be, and restores when it is gone', async () => {
  const site = await setUp({ d: 'a file' })
  const entry = await site.know({ path: 'd/a.jpg', mediaId: site.store(bytes) })
  await expect(site.restore(entry)).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: 'cannot write `d/a.jpg`: `d` is not a directory',
  })
  expect(site.wecom.attempts).toBe(0)
  await rm(join(site.root, 'd'))
  await site.restore(entry)
  expect(await site.read('d/a.jpg')).toBe('the poster')
})

it('says what has the place of a missing file, and restores when that is gone', async () => {
  const site = await setUp({ 'a.jpg/inside.txt': 'a directory' })
  const entry = await site.know({ path: 'a.jpg', mediaId: site.store(bytes) })
  await expect(site.restore(entry)).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: 'cannot restore `a.jpg`: a directory has its place',
  })
  await rm(join(site.root, 'a.jpg'), { recursive: true })
  await symlink('/etc/hostname', join(site.root, 'a.jpg'))
  await expect(site.restore(entry)).rejects.toMatchObject({
    message: 'cannot restore `a.jpg`: something that is no file has its place',
  })
  expect(site.wecom.attempts).toBe(0)
  await rm(join(site.root, 'a.jpg'))
  await site.restore(entry)
  expect(await site.read('a.jpg')).toBe('the poster')
})

it('ends the life of a dead id under every path that shares it, so that those are renewed at once', async () => {
  const site = await setUp()
  const mediaId = aMediaId('dead')
  const entry = await site.know({ path: 'a.jpg', mediaId })
  await site.know({ path: 'b.jpg', mediaId })
  await site.know({ path: 'other-id.jpg', mediaId: aMediaId('alive') })
  const landed = await site.know({
    path: 'landed.jpg',
    mediaId,
    origin: 'reference',
    renewAtMs: undefined,
  })
  await site.restore(entry)
  expect((await site.manifest.findDue({ untilMs: NOW_MS }, 10)).map(({ path }) => path)).toEqual([
    'b.jpg',
  ])
  expect(await site.find('b.jpg')).toMatchObject({ expiresAtMs: NOW_MS, renewAtMs: NOW_MS })
  expect(await site.find('landed.jpg')).toEqual({ ...landed, expiresAtMs: NOW_MS })
  expect(await site.find('a.jpg')).toBeUndefined()
  expect(await site.problem('a.jpg')).toMatchObject({ code: 'MEDIA_LOST' })
  expect(site.said()).toEqual(['id-died', 'lost'])
  expect(site.events[0]).toMatchObject({ mediaId, path: 'b.jpg', pathCount: 2 })
})

it('tells of a dead id by its loss alone when no other path holds it', async () => {
  const site = await setUp()
  await site.restore(await site.know({ path: 'a.jpg', mediaId: aMediaId('dead') }))
  expect(site.said()).toEqual(['lost'])
})

it('ends the life of an id that a reference shows to be dead, whatever bytes the entries that hold it have', async () => {
  const site = await setUp({ 'own.png': 'x' })
  const mediaId = aMediaId('dead')
  const entry = await site.know({ path: 'own.png', mediaId, fingerprint: aFingerprint('x') })
  await site.land(mediaId, 'wanted.png')
  expect(await site.find('own.png')).toEqual({
    ...entry,
    expiresAtMs: NOW_MS,
    renewAtMs: NOW_MS,
  })
  expect(site.said()).toEqual(['id-died', 'lost'])
})

it('gives newcomers of one name that land at the same time a path and an entry each', async () => {
  const site = await setUp()
  const { commit } = site.manifest
  // The worst order: what a loser takes back comes after all that the winner has put.
  site.manifest.commit = async (changes) => {
    if (changes.some(({ kind }) => kind === 'drop-entry')) await setTimeout(20)
    await commit(changes)
  }
  const contents = ['one', 'two', 'three', 'four']
  const ids = contents.map((content) => site.store(content))
  await Promise.all(ids.map((mediaId) => site.land(mediaId)))
  const names = await site.names()
  expect(names).toEqual([
    'inbox/photo (2).jpg',
    'inbox/photo (3).jpg',
    'inbox/photo (4).jpg',
    'inbox/photo.jpg',
  ])
  for (const name of names) {
    const { mediaId, stamp } = (await site.find(name)) ?? {}
    expect(mediaId).toBe(ids[contents.indexOf(await site.read(name))])
    expect(stamp).toBe(await site.stampOf(name))
  }
})

it('lands once what is restored at the same time, as after a crash between its entry and its file', async () => {
  for (let round = 0; round < 30; round++) {
    const site = await setUp()
    const mediaId = site.store(bytes)
    const entry = await site.know({ path: 'inbox/photo.jpg', mediaId })
    // Each round the landing is another moment later: in one of them the restore comes between its look and its deed.
    const landing = setTimeout(round / 10).then(() => site.land(mediaId))
    await Promise.all([site.restore(entry), landing])
    expect(await site.names()).toEqual(['inbox/photo.jpg'])
    expect(await site.manifest.findReference(mediaId)).toMatchObject({
      state: 'landed',
      landedPath: 'inbox/photo.jpg',
    })
  }
})

it('leaves a reference open that was accepted for another path while it landed, and is ended by the landing there', async () => {
  const site = await setUp()
  const mediaId = site.store(bytes)
  const reference = aReference({ mediaId, path: aPath('asked for/a.jpg') })
  site.whileDownloading(() => site.manifest.commit([{ kind: 'put-reference', reference }]))
  await site.land(mediaId)
  expect(await site.names()).toEqual(['inbox/photo.jpg'])
  expect(await site.manifest.findReference(reference.mediaId)).toEqual(reference)
  // Whoever waits would take it for the end.
  expect(site.said()).not.toContain('landed')
  await site.land(mediaId, 'asked for/a.jpg')
  expect(await site.names()).toEqual(['asked for/a.jpg', 'inbox/photo.jpg'])
  expect(await site.manifest.findReference(reference.mediaId)).toMatchObject({
    state: 'landed',
    landedPath: 'asked for/a.jpg',
  })
})

it('does not land where the folder would pass by what is in it', async () => {
  const site = await setUp()
  site.inbox('inbox/{from}/{name}')
  await site.land(site.store('a photo'), undefined, { from: 'bob.tmp' })
  expect(await site.names()).toEqual(['inbox/bob.tmp_/photo.jpg'])
})

it('lands a voice in high definition as what it is, and restores it by the same call', async () => {
  const site = await setUp()
  const [amr, speech] = [anAmr(), Buffer.from('sixteen thousand a second')]
  const mediaId = site.wecom.store({ name: '语音.amr', bytes: amr, hdBytes: speech })
  await site.land(mediaId, undefined, { isHd: true })
  expect(await site.names()).toEqual(['inbox/语音.speex'])
  const entry = await site.find('inbox/语音.speex')
  // The id is that of a voice, whatever the bytes are.
  expect(entry).toMatchObject({ mediaId, isHd: true, kind: 'voice', sizeBytes: speech.length })
  await rm(join(site.root, 'inbox/语音.speex'))
  if (entry) await site.restore(entry)
  expect(await readFile(join(site.root, 'inbox/语音.speex'))).toEqual(speech)
  expect(await site.find('inbox/语音.speex')).toMatchObject({ isHd: true })
  // The ordinary form of the same id is another medium, even where the first has the path and its file is gone.
  await rm(join(site.root, 'inbox/语音.speex'))
  await site.land(mediaId, 'inbox/语音.speex')
  expect(await site.names()).toEqual(['inbox/语音 (2).speex'])
  expect(await site.find('inbox/语音 (2).speex')).toMatchObject({ sizeBytes: amr.length })
  expect(await site.find('inbox/语音 (2).speex')).not.toHaveProperty('isHd')
})

it('calls a voice AMR that came as such when high definition was asked for', async () => {
  const site = await setUp()
  const mediaId = site.wecom.store({ name: 'voice', bytes: anAmr(), hdBytes: anAmr() })
  await site.land(mediaId, undefined, { isHd: true, into: ROOT })
  expect(await site.names()).toEqual(['voice.amr'])
})

it('says that there is no high definition, and lets the id live that others hold', async () => {
  const site = await setUp()
  const mediaId = site.store(bytes)
  const held = await site.know({ path: 'a.jpg', mediaId })
  await site.land(mediaId, undefined, { isHd: true })
  expect(await site.manifest.findReference(mediaId)).toMatchObject({
    state: 'lost',
    message: expect.stringMatching(/in high definition.*another medium, it expired, or belongs/),
  })
  expect(await site.find('a.jpg')).toEqual(held)
})

it.each([true, false])(
  'goes on where a landing was begun that was cut short, also when the name that it had to leave to another is free (its file there: %s)',
  async (isPlaced) => {
    const site = await setUp(isPlaced ? { 'inbox/photo (2).jpg': `${bytes}` } : {})
    const mediaId = site.store(bytes)
    const path = 'inbox/photo (2).jpg'
    await site.know({ path, mediaId, origin: 'reference', renewAtMs: undefined })
    await site.land(mediaId)
    expect(await site.names()).toEqual([path])
    expect((await site.manifest.findReference(mediaId))?.landedPath).toBe(path)
    // Where somebody names another path it is a second medium, as ever.
    await site.land(mediaId, 'elsewhere.jpg')
    expect(await site.names()).toEqual(['elsewhere.jpg', path])
  },
)

it.each([
  ['a/b', 'a/b/photo.jpg'],
  [ROOT, 'photo.jpg'],
  ['odd.tmp', 'odd.tmp_/photo.jpg'],
] as const)('lands in the directory %s under its own name, numbered there', async (into, path) => {
  const site = await setUp()
  const directory = into === ROOT ? ROOT : aPath(into)
  await site.land(site.store('one'), undefined, { into: directory })
  await site.land(site.store('two'), undefined, { into: directory })
  expect(await site.names()).toEqual([path.replace('.jpg', ' (2).jpg'), path])
  expect(site.said()).toEqual(['landed', 'landed'])
})

it.each([
  ['image', aPdf(), '`a.jpg` was announced as image, and is pdf by its content'],
  ['voice', aJpg(), '`a.jpg` was announced as voice, and is jpg by its content'],
  ['image', aJpg(), undefined],
  ['image', Buffer.from('who knows'), undefined],
  ['file', aJpg(), undefined],
  ['voice', anAmr(), undefined],
  ['video', anMp4(), undefined],
] as const)(
  'warns of what is surely not the %s that it was announced as',
  async (kind, content, message) => {
    const site = await setUp()
    await site.land(site.store(content), 'a.jpg', { kind })
    const warnings = site.events.flatMap((event) =>
      event.kind === 'warned' ? [event.message] : [],
    )
    expect([site.said()[0], warnings]).toEqual(['landed', message === undefined ? [] : [message]])
  },
)

it('lands and restores files as any program of its user writes them: to its owner, open as far as the umask says', async () => {
  const site = await setUp()
  await site.land(site.store('one'), 'a.jpg')
  await site.restore(await site.know({ path: 'b.jpg', mediaId: site.store(bytes) }))
  for (const path of ['a.jpg', 'b.jpg']) {
    const { mode, uid } = await stat(join(site.root, path))
    expect([(mode & 0o777).toString(8), uid]).toEqual([
      (0o666 & ~process.umask()).toString(8),
      process.getuid?.(),
    ])
  }
})

it('fetches nothing for a reference that has landed, is lost or was dropped since its step was planned', async () => {
  const site = await setUp()
  const reference = aReference({ mediaId: site.store('one') })
  await site.landLate(reference)
  for (const state of ['landed', 'lost'] as const) {
    await site.manifest.commit([{ kind: 'put-reference', reference: { ...reference, state } }])
    await site.landLate(reference)
  }
  expect([site.wecom.attempts, await site.names(), site.said()]).toEqual([0, [], []])
})

it('leaves a path to the entry whose file is missing', async () => {
  const site = await setUp()
  const entry = await site.know({ path: 'poster.png', mediaId: aMediaId('living') })
  await site.land(site.store('another'), 'poster.png')
  expect(await site.find('poster.png')).toEqual(entry)
  expect(await site.names()).toEqual(['poster (2).png'])
})

it('brings a missing file back when its own id is referred to, and keeps it renewed', async () => {
  const site = await setUp()
  const entry = await site.know({ path: 'poster.png', mediaId: site.store(bytes) })
  await site.land(entry.mediaId, 'poster.png')
  expect(await site.find('poster.png')).toMatchObject({
    origin: 'folder',
    renewAtMs: entry.renewAtMs,
  })
  expect(await site.names()).toEqual(['poster.png'])
})

it('tells of a numbered name, once, as a problem that goes with the file and does not stop its renewal', async () => {
  const site = await setUp({ 'x.png': 'a different file' })
  const mediaId = site.store('another')
  await site.land(mediaId, 'x.png')
  await site.land(mediaId, 'x.png')
  const problem = await site.problem('x (2).png')
  expect(problem).toMatchObject({
    code: 'PATH_CONFLICT',
    message: expect.stringContaining('`x (2).png` was landed beside `x.png`'),
  })
  expect(problem?.stamp).toBeDefined()
  expect(problem?.stamp).not.toBe(await site.stampOf('x (2).png'))
  expect(site.said()).toEqual(['problem-found', 'landed', 'landed'])
  expect(await site.read('x.png')).toBe('a different file')
})

it('lands at the file that has the same bytes already, and tells who waits for the id', async () => {
  const site = await setUp({ 'x.png': 'the poster' })
  const entry = await site.know({ path: 'x.png', mediaId: aMediaId('own') })
  const mediaId = site.store(bytes)
  await site.land(mediaId, 'x.png')
  expect(await site.names()).toEqual(['x.png'])
  expect(await site.find('x.png')).toMatchObject({ mediaId: entry.mediaId, origin: 'folder' })
  expect(site.events).toMatchObject([{ kind: 'landed', entry: { path: 'x.png', mediaId } }])
})

it('leaves the entry of a changed file to the next pass, even when the new bytes are those that land', async () => {
  const site = await setUp({ 'x.png': 'the poster' })
  const entry = await site.know({
    path: 'x.png',
    fingerprint: fingerprintBuffer(Buffer.from('before')),
  })
  await site.land(site.store(bytes), 'x.png')
  expect(await site.find('x.png')).toEqual(entry)
})

it('takes its entry back when the file cannot be placed', async () => {
  const site = await setUp()
  const outside = await createTempFolder()
  await symlink(outside, join(site.root, 'link'))
  await expect(site.land(site.store('another'), 'link/sub/y.png')).rejects.toThrow(
    'out of the folder',
  )
  expect(await site.manifest.count()).toMatchObject({ entries: 0 })
  expect([await site.names(), await readdir(outside)]).toEqual([['link'], []])
})

it('takes no other entry back than its own', async () => {
  const site = await setUp()
  const { commit } = site.manifest
  // Between our entry and our file somebody is faster with both.
  site.manifest.commit = async (changes) => {
    await commit(changes)
    site.manifest.commit = commit
    plant(site.root, { 'y.png': 'theirs' })
    await site.know({ path: 'y.png', mediaId: aMediaId('theirs') })
  }
  await site.land(site.store('another'), 'y.png')
  expect(await site.find('y.png')).toMatchObject({ mediaId: 'theirs' })
  expect(await site.read('y (2).png')).toBe('another')
})

it('lands nothing under a name that the folder passes by', async () => {
  const site = await setUp()
  await site.land(site.store('another'), 'y.tmp')
  expect([await site.names(), await site.manifest.count()]).toMatchObject([
    ['y.tmp.file'],
    { problems: 0 },
  ])
})

it('says by name which reference nobody can fetch', async () => {
  const site = await setUp()
  await site.land('unknown', 'y.png')
  expect(await site.manifest.findReference(aMediaId('unknown'))).toMatchObject({
    state: 'lost',
    message: expect.stringContaining('cannot fetch unknown'),
  })
  expect([site.said(), await site.names()]).toEqual([['lost'], []])
})

it('fetches one id once, however many steps of it come at once', async () => {
  const site = await setUp()
  const mediaId = site.store(bytes)
  let downloads = 0
  site.whileDownloading(async () => void downloads++)
  await Promise.all([site.land(mediaId, 'a.jpg'), site.land(mediaId, 'a.jpg')])
  expect(downloads).toBe(1)
  expect(site.said()).toEqual(['landed'])
})

it('does not take a reference for landed that somebody wants elsewhere by now, or has dismissed', async () => {
  const site = await setUp()
  const mediaId = site.store(bytes)
  const elsewhere = aReference({ mediaId, path: aPath('b.jpg') })
  site.whileDownloading(() =>
    site.manifest.commit([{ kind: 'put-reference', reference: elsewhere }]),
  )
  await site.land(mediaId, 'a.jpg')
  expect(await site.manifest.findReference(aMediaId(mediaId))).toEqual(elsewhere)
  site.whileDownloading(() =>
    site.manifest.commit([{ kind: 'drop-reference', mediaId: aMediaId(mediaId) }]),
  )
  await site.land(mediaId, 'c.jpg')
  expect((await site.manifest.count()).references).toBe(0)
  expect(await site.names()).toEqual(['a.jpg', 'c.jpg'])
})

it.each(['landed', 'lost'] as const)(
  'keeps a wish that comes while it is being recorded that the medium is %s',
  async (state) => {
    const site = await setUp()
    const mediaId = aMediaId(state === 'landed' ? site.store(bytes) : 'dead')
    const { commit } = site.manifest
    let accepting: Promise<unknown> | undefined
    site.manifest.commit = async (changes) => {
      const isEnd = changes.some(
        (change) => change.kind === 'put-reference' && change.reference.state === state,
      )
      if (isEnd && !accepting) {
        accepting = site.acceptance.accept({ mediaId, path: aPath('b.jpg') }, { anew: true })
        await setTimeout(5)
      }
      await commit(changes)
    }
    await site.land(mediaId, 'a.jpg')
    await accepting
    const wish = { path: 'b.jpg', state: 'accepted' }
    expect(await site.manifest.findReference(mediaId)).toMatchObject(wish)
  },
)

it('does not call lost what was dismissed, or is wanted otherwise, since its download began', async () => {
  const site = await setUp()
  const reference = aReference({ mediaId: 'dead', path: aPath('a.jpg') })
  const dismissed = { ...reference, state: 'lost', dismissedAtMs: NOW_MS } as const
  site.wecom.download = async () => {
    await site.manifest.commit([{ kind: 'put-reference', reference: dismissed }])
    throw new WecomRefused('no such medium', {
      errcode: 40007,
      errmsg: 'invalid media_id',
      remedy: 'skip',
    })
  }
  await site.land('dead', 'a.jpg')
  expect(await site.manifest.findReference(aMediaId('dead'))).toEqual(dismissed)
  expect(site.said()).toEqual([])
})
