// What every manifest must do, whoever keeps it. Each adapter and each fake runs this suite.
import { describe, expect, test } from 'vitest'
import type { Change, Manifest } from '../../src/manifest/manifest.ts'
import type { ManifestEntry, Problem, Reference } from '../../src/media/media.ts'
import {
  aDelivery,
  aFingerprint,
  all,
  aMediaId,
  anEntry,
  aPath,
  aProblem,
  aReference,
  aStamp,
  START_MS,
} from '../manifest/rows.ts'

const put = (entry: ManifestEntry): Change => ({ kind: 'put-entry', entry })
const drop = (path: string): Change => ({ kind: 'drop-entry', path: aPath(path) })
const putProblem = (problem: Problem): Change => ({ kind: 'put-problem', problem })
const putReference = (reference: Reference): Change => ({ kind: 'put-reference', reference })

/** `open` gives a new, empty manifest for each test. */
export function describeManifest(name: string, open: () => Promise<Manifest>): void {
  describe(`${name} keeps the manifest's promises`, () => {
    test('is empty at first', async () => {
      const manifest = await open()
      expect(await manifest.count()).toEqual({ entries: 0, problems: 0, references: 0 })
      expect(await manifest.markedFolder()).toBeUndefined()
      expect(await manifest.nextDueAtMs()).toBeUndefined()
      expect(await manifest.findEntry(aPath('a.jpg'))).toBeUndefined()
      expect(await manifest.findDue({ untilMs: Number.MAX_SAFE_INTEGER }, 10)).toEqual([])
      expect(await all(manifest.entries())).toEqual([])
      await manifest.close()
    })

    test('finds every field of what was committed', async () => {
      const manifest = await open()
      const entry = anEntry('posters/春.jpg', {
        kind: 'file',
        origin: 'reference',
        checkedAtMs: START_MS + 5,
        isHd: true,
      })
      const problem = aProblem('big.mov', { stamp: aStamp('1:2:3'), fingerprint: aFingerprint(7) })
      const reference = aReference('id-1', {
        path: aPath('wanted/a.jpg'),
        into: aPath('wanted'),
        isHd: true,
        createdAtMs: START_MS - 5,
        from: '张三',
        kind: 'voice',
        messageId: '9223372036854775807',
        state: 'landed',
        landedPath: aPath('wanted/a (2).jpg'),
        message: 'a different file was there',
      })
      await manifest.commit([put(entry), putProblem(problem), putReference(reference)])
      expect(await manifest.findEntry(entry.path)).toEqual(entry)
      expect(await manifest.findProblem(problem.path)).toEqual(problem)
      expect(await manifest.findReference(reference.mediaId)).toEqual(reference)
      expect(await manifest.count()).toEqual({ entries: 1, problems: 1, references: 1 })
      await manifest.close()
    })

    test('finds what stands under many paths at once', async () => {
      const manifest = await open()
      const [a, b] = [anEntry('a.jpg'), anEntry('b.jpg')]
      await manifest.commit([put(a), put(b), putProblem(aProblem('b.jpg'))])
      const rows = await manifest.findRows(['c.jpg', 'b.jpg', 'a.jpg'].map(aPath))
      expect(rows.map(({ entry }) => entry)).toEqual([undefined, b, a])
      expect(rows.map(({ problem }) => problem?.path)).toEqual([undefined, b.path, undefined])
      await manifest.close()
    })

    test('leaves out what was never given: no path, no stamp, no moment of renewal', async () => {
      const manifest = await open()
      const entry = anEntry('landed.jpg', { renewAtMs: undefined })
      await manifest.commit([put(entry), putProblem(aProblem('p')), putReference(aReference('id'))])
      expect(await manifest.findEntry(entry.path)).toEqual(entry)
      expect(Object.keys((await manifest.findProblem(aPath('p'))) ?? {})).not.toContain('stamp')
      expect(Object.keys((await manifest.findReference(aMediaId('id'))) ?? {})).not.toContain(
        'path',
      )
      expect(await manifest.nextDueAtMs()).toBeUndefined()
      expect(await manifest.findDue({ untilMs: Number.MAX_SAFE_INTEGER }, 10)).toEqual([])
      await manifest.close()
    })

    test('replaces an entry as a whole, in every index', async () => {
      const manifest = await open()
      await manifest.commit([put(anEntry('a', { fingerprint: aFingerprint(1), renewAtMs: 100 }))])
      const newer = anEntry('a', { fingerprint: aFingerprint(2), renewAtMs: 900 })
      await manifest.commit([put(newer)])
      expect(await manifest.findEntry(newer.path)).toEqual(newer)
      expect(await manifest.findByFingerprint(aFingerprint(1))).toEqual([])
      expect(await manifest.findByFingerprint(aFingerprint(2))).toEqual([newer])
      expect(await manifest.findDue({ untilMs: 899 }, 10)).toEqual([])
      expect(await manifest.nextDueAtMs()).toBe(900)
      expect((await manifest.count()).entries).toBe(1)
      await manifest.close()
    })

    test('drops entries, problems and references, and takes the dropping of nothing calmly', async () => {
      const manifest = await open()
      await manifest.commit([
        put(anEntry('a')),
        putProblem(aProblem('a')),
        putReference(aReference('id')),
      ])
      await manifest.commit([
        drop('a'),
        { kind: 'drop-problem', path: aPath('a') },
        { kind: 'drop-reference', mediaId: aMediaId('id') },
        drop('never there'),
      ])
      expect(await manifest.count()).toEqual({ entries: 0, problems: 0, references: 0 })
      expect(await manifest.findByFingerprint(aFingerprint(1))).toEqual([])
      expect(await manifest.nextDueAtMs()).toBeUndefined()
      await manifest.close()
    })

    test('gives due entries earliest first, those of one moment by path, and no more than asked for', async () => {
      const manifest = await open()
      const at = (path: string, renewAtMs: number) => put(anEntry(path, { renewAtMs }))
      await manifest.commit([at('d', 40), at('c', 10), at('b', 20), at('a', 20)])
      const due = async (nowMs: number, limit: number) =>
        (await manifest.findDue({ untilMs: nowMs }, limit)).map((entry) => entry.path)
      expect(await due(9, 10)).toEqual([])
      expect(await due(20, 10)).toEqual(['c', 'a', 'b'])
      expect(await due(1000, 2)).toEqual(['c', 'a'])
      expect(await due(1000, 0)).toEqual([])
      expect(await manifest.nextDueAtMs()).toBe(10)
      await manifest.close()
    })

    test('gives the renewals between two moments: after the one, up to the other', async () => {
      const manifest = await open()
      const minute = (n: number) => START_MS + n * 60_000
      const moments = [minute(-3), START_MS - 1, START_MS, START_MS + 1, minute(90)]
      await manifest.commit(moments.map((renewAtMs, n) => put(anEntry(`${n}.jpg`, { renewAtMs }))))
      const between = async (afterMs: number, untilMs: number) =>
        (await manifest.findDue({ afterMs, untilMs }, 10)).map((entry) => entry.path)
      expect(await between(START_MS - 1, START_MS)).toEqual(['2.jpg'])
      expect(await between(minute(-3), minute(90))).toEqual(['1.jpg', '2.jpg', '3.jpg', '4.jpg'])
      expect(await between(minute(90), minute(100))).toEqual([])
      await manifest.close()
    })

    test('gives what is kept alive by its death, whatever its renewal', async () => {
      const manifest = await open()
      const lives = (path: string, renewAtMs: number | undefined, expiresAtMs: number) =>
        put(anEntry(path, { renewAtMs, expiresAtMs }))
      await manifest.commit([lives('a', 10, 90), lives('b', 20, 80), lives('c', undefined, 70)])
      const dying = async (afterMs: number, untilMs: number) =>
        (await manifest.findDying({ afterMs, untilMs }, 10)).map((entry) => entry.path)
      expect(await dying(0, 100)).toEqual(['b', 'a'])
      expect(await dying(80, 90)).toEqual(['a'])
      await manifest.commit([lives('a', 200, 300), drop('b')])
      expect(await dying(0, 400)).toEqual(['a'])
      await manifest.close()
    })

    test('tells how much of what is kept alive dies when', async () => {
      const manifest = await open()
      const hours = (n: number) => START_MS + n * 60 * 60_000
      await manifest.commit([
        put(anEntry('a', { expiresAtMs: hours(1), sizeBytes: 10 })),
        put(anEntry('b', { expiresAtMs: hours(2), sizeBytes: 20 })),
        put(anEntry('c', { expiresAtMs: hours(2), sizeBytes: 40 })),
        put(anEntry('landed', { renewAtMs: undefined, sizeBytes: 80 })),
      ])
      await manifest.commit([put(anEntry('b', { expiresAtMs: hours(3), sizeBytes: 21 }))])
      const deadBy = async (atMs: number) => {
        const slices = (await manifest.workload()).filter(({ untilMs }) => untilMs <= atMs + 60_000)
        const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)
        return [sum(slices.map((s) => s.count)), sum(slices.map((s) => s.sizeBytes))]
      }
      expect(await deadBy(hours(0))).toEqual([0, 0])
      expect(await deadBy(hours(1))).toEqual([1, 10])
      expect(await deadBy(hours(2))).toEqual([2, 50])
      expect(await deadBy(hours(3))).toEqual([3, 71])
      await manifest.commit([drop('c')])
      expect(await deadBy(hours(3))).toEqual([2, 31])
      await manifest.close()
    })

    test('finds all paths with the same bytes', async () => {
      const manifest = await open()
      await manifest.commit(['a', 'b', 'c'].map((path) => put(anEntry(path))))
      await manifest.commit([drop('b')])
      const paths = (await manifest.findByFingerprint(aFingerprint(1))).map((entry) => entry.path)
      expect(paths.sort()).toEqual(['a', 'c'])
      await manifest.close()
    })

    test('walks the entries in order of their path', async () => {
      const manifest = await open()
      const names = Array.from({ length: 2000 }, (_, n) => `folder/${(n * 7919) % 2000}.jpg`)
      await manifest.commit(names.map((name) => put(anEntry(name))))
      await manifest.commit(names.slice(0, 500).map(drop))
      const walked = (await all(manifest.entries())).map((entry) => entry.path)
      expect(walked).toEqual(names.slice(500).sort())
      await manifest.close()
    })

    test('walks on calmly while entries come and go', async () => {
      const manifest = await open()
      const names = Array.from({ length: 1500 }, (_, n) => String(n).padStart(4, '0'))
      await manifest.commit(names.map((name) => put(anEntry(name))))
      const walked: string[] = []
      for await (const entry of manifest.entries()) {
        walked.push(entry.path)
        if (walked.length === 700) await manifest.commit([drop('0000'), put(anEntry('0000.5'))])
      }
      const stable = walked.filter((path) => path !== '0000' && path !== '0000.5')
      expect(stable).toEqual(names.slice(1))
      await manifest.close()
    })

    test('applies the changes of one commit in their order', async () => {
      const manifest = await open()
      await manifest.commit([put(anEntry('a')), drop('a'), drop('b'), put(anEntry('b'))])
      expect(await manifest.findEntry(aPath('a'))).toBeUndefined()
      expect(await manifest.findEntry(aPath('b'))).toEqual(anEntry('b'))
      await manifest.close()
    })

    test('applies concurrent commits in the order of their calls', async () => {
      const manifest = await open()
      const commits = Array.from({ length: 100 }, (_, n) =>
        manifest.commit([put(anEntry('a', { sizeBytes: n })), put(anEntry(`a/${n}`))]),
      )
      await Promise.all(commits)
      expect(await manifest.findEntry(aPath('a'))).toEqual(anEntry('a', { sizeBytes: 99 }))
      expect((await manifest.count()).entries).toBe(101)
      await manifest.close()
    })

    test('marks an id as checked, and ends its life, only while the entry still has it', async () => {
      const manifest = await open()
      const landed = anEntry('landed', { renewAtMs: undefined })
      const dead = anEntry('dead', { expiresAtMs: START_MS })
      await manifest.commit([put(anEntry('a')), put(anEntry('b')), put(landed), put(dead)])
      const mediaId = anEntry('a').mediaId
      const about = (kind: 'mark-checked' | 'end-life', path: string, id = mediaId): Change =>
        ({ kind, path: aPath(path), mediaId: id, atMs: START_MS + 7 }) as const
      await manifest.commit([
        about('mark-checked', 'a'),
        about('mark-checked', 'b', aMediaId('another')),
        about('mark-checked', 'not there'),
        about('end-life', 'landed'),
        about('end-life', 'dead'),
      ])
      expect(await all(manifest.entries())).toEqual([
        anEntry('a', { checkedAtMs: START_MS + 7 }),
        anEntry('b'),
        dead,
        { ...landed, expiresAtMs: START_MS + 7 },
      ])
      await manifest.commit([about('end-life', 'a'), about('end-life', 'b', aMediaId('another'))])
      expect(await manifest.findEntry(aPath('a'))).toMatchObject({
        expiresAtMs: START_MS + 7,
        renewAtMs: START_MS + 7,
      })
      expect(await manifest.findEntry(aPath('b'))).toEqual(anEntry('b'))
      await manifest.close()
    })

    test.each(['mark-checked', 'end-life'] as const)(
      'lets no %s undo what an earlier commit does that is not finished yet',
      async (kind) => {
        const manifest = await open()
        const renewed = anEntry('renewed', { mediaId: aMediaId('new') })
        const touched = anEntry('touched', { stamp: aStamp('9:9:9') })
        await manifest.commit(['renewed', 'dropped', 'touched'].map((path) => put(anEntry(path))))
        const about = (path: string): Change =>
          ({ kind, path: aPath(path), mediaId: anEntry(path).mediaId, atMs: START_MS }) as const
        await Promise.all([
          manifest.commit([put(renewed), drop('dropped')]),
          manifest.commit([put(touched)]),
          manifest.commit([about('renewed'), about('dropped'), about('touched')]),
        ])
        expect(await manifest.findEntry(renewed.path)).toEqual(renewed)
        expect(await manifest.findEntry(aPath('dropped'))).toBeUndefined()
        const found = await manifest.findEntry(touched.path)
        expect(found?.stamp).toBe(touched.stamp)
        expect(found).not.toEqual(touched)
        await manifest.close()
      },
    )

    test('keeps what hooks are owed with every field, in order of the ids, until it is dropped', async () => {
      const manifest = await open()
      const entry = anEntry('posters/春.jpg')
      const { kind, createdAtMs, expiresAtMs, sizeBytes, fingerprint, origin } = entry
      const full = aDelivery('2', {
        happening: 'changed-id',
        path: entry.path,
        oldMediaId: aMediaId('old'),
        oldPath: aPath('old.jpg'),
        referenceId: aMediaId('ref'),
        from: '张三',
        because: 'it "died"\n',
        medium: { kind, createdAtMs, expiresAtMs, sizeBytes, fingerprint, origin },
      })
      const owed = [full, aDelivery('1', { happening: 'lost' })]
      await manifest.commit([put(entry), { kind: 'put-deliveries', deliveries: () => owed }])
      expect(await all(manifest.deliveries())).toEqual([owed[1], owed[0]])
      expect(await manifest.findDelivery('2')).toEqual(full)
      expect(await manifest.findDelivery('3')).toBeUndefined()
      await manifest.commit(['2', '3'].map((id) => ({ kind: 'drop-delivery', id })))
      expect(await all(manifest.deliveries())).toEqual([owed[1]])
      await manifest.close()
    })

    test('asks what is owed for a commit by what stands there in its turn', async () => {
      const manifest = await open()
      const owe = (id: string): Change => ({
        kind: 'put-deliveries',
        deliveries: (standing) => [
          aDelivery(id, { because: standing(aPath('a'))?.mediaId ?? 'nothing' }),
        ],
      })
      const give = (mediaId: string) => put(anEntry('a', { mediaId: aMediaId(mediaId) }))
      await Promise.all([
        manifest.commit([owe('1'), give('first')]),
        manifest.commit([owe('2'), give('second')]),
        manifest.commit([owe('3'), drop('a'), owe('4')]),
      ])
      const found = (await all(manifest.deliveries())).map(({ because }) => because)
      expect(found).toEqual(['nothing', 'first', 'second', 'nothing'])
      await manifest.close()
    })

    test('remembers which folder was marked', async () => {
      const manifest = await open()
      await manifest.commit([{ kind: 'mark-folder', folder: '/srv/one' }])
      await manifest.commit([{ kind: 'mark-folder', folder: '/srv/媒体 "two"\n' }])
      expect(await manifest.markedFolder()).toBe('/srv/媒体 "two"\n')
      await manifest.close()
    })

    test('commits nothing at once', async () => {
      const manifest = await open()
      await manifest.commit([])
      expect((await manifest.count()).entries).toBe(0)
      await manifest.close()
    })

    test('can be closed twice, and takes nothing after that', async () => {
      const manifest = await open()
      await Promise.all([manifest.close(), manifest.close()])
      await manifest.close()
      await expect(manifest.commit([put(anEntry('a'))])).rejects.toThrow()
    })
  })
}
