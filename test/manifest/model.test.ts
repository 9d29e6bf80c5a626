// Random commits, closings, deaths and failing disks against the plainest model there is: a map of each.
import { copyFile, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Change, ManifestReader, Standing } from '../../src/manifest/manifest.ts'
import { readManifest } from '../../src/manifest/read-manifest.ts'
import { type MediaPath, parseMediaId, parseMediaPath } from '../../src/media/media.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createMemoryManifest } from '../helpers/memory-manifest.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { createBreakableFiles } from './breakable-files.ts'
import {
  aDelivery,
  aFingerprint,
  all,
  anEntry,
  aProblem,
  aReference,
  CORP_ID,
  START_MS,
} from './rows.ts'
import { openState } from './state.ts'

const HOSTILE = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'media',
  'references',
  'checksum',
  '1',
  '10',
  '2',
  '"quoted"',
  'back\\slash',
  'new\nline',
  'tab\tand\u0001control',
  '\u2028\u2029',
  '春/海报.jpg',
  'emoji 🎉.png',
  'lone \ud83c surrogate',
  '\udf89',
  'e\u0301 and é',
  ' leading and trailing ',
  '"media": {',
  '},\n"references": {\n',
  'ￜ\ufeff',
]

const path = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }),
)
const mediaPath = path
  .map(parseMediaPath)
  .filter((parsed): parsed is MediaPath => parsed !== undefined)
const mediaId = fc
  .constantFrom('__proto__', 'constructor', '"', '\\', '3a_x', '1', 'id~')
  .map(parseMediaId)
  .filter((parsed) => parsed !== undefined)
const number = fc.integer({ min: 0, max: 50 })
const text = fc.string({ unit: 'binary' })

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(mediaPath, number, number, mediaId).map(([at, n, size, id]) => ({
      kind: 'put-entry' as const,
      entry: {
        ...anEntry('x', {
          renewAtMs: n % 5 === 0 ? undefined : n,
          checkedAtMs: n % 3 === 0 ? undefined : n,
          sizeBytes: size,
          mediaId: id,
          fingerprint: aFingerprint(n % 4),
        }),
        path: at,
      },
    })),
  },
  mediaPath.map((at) => ({ kind: 'drop-entry' as const, path: at })),
  fc
    .tuple(fc.constantFrom('mark-checked', 'end-life'), mediaPath, mediaId, number)
    .map(([kind, at, id, n]) => ({ kind, path: at, mediaId: id, atMs: START_MS + n }) as const),
  fc.tuple(mediaPath, text).map(([at, message]) => ({
    kind: 'put-problem' as const,
    problem: { ...aProblem('x', { message }), path: at },
  })),
  mediaPath.map((at) => ({ kind: 'drop-problem' as const, path: at })),
  fc.tuple(mediaId, mediaPath, text).map(([id, at, message]) => ({
    kind: 'put-reference' as const,
    reference: { ...aReference('x', { path: at, message }), mediaId: id },
  })),
  mediaId.map((id) => ({ kind: 'drop-reference' as const, mediaId: id })),
  fc.tuple(number, mediaPath, text).map(([n, at, because]) => ({
    kind: 'put-deliveries' as const,
    deliveries: (standing: Standing) => {
      const medium = standing(at)
      return [aDelivery(`${n}`, { path: at, because, ...(medium && { mediaId: medium.mediaId }) })]
    },
  })),
  number.map((n) => ({ kind: 'drop-delivery' as const, id: `${n}` })),
  text.map((folder) => ({ kind: 'mark-folder' as const, folder })),
)

type Step =
  | { readonly kind: 'commit'; readonly commits: readonly (readonly Change[])[] }
  | { readonly kind: 'close' | 'die' | 'document' | 'full' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.array(change, { maxLength: 6 }), { minLength: 1, maxLength: 4 })
      .map((commits) => ({ kind: 'commit' as const, commits })),
  },
  fc.constantFrom('close', 'die', 'document', 'full').map((kind) => ({ kind }) as Step),
)

async function picture(manifest: ManifestReader) {
  const byKey = (a: { path?: string; mediaId?: string }, b: { path?: string; mediaId?: string }) =>
    `${a.mediaId}${a.path}` < `${b.mediaId}${b.path}` ? -1 : 1
  const sameBytes = await manifest.findByFingerprint(aFingerprint(1))
  return {
    entries: await all(manifest.entries()),
    problems: (await all(manifest.problems())).sort(byKey),
    references: (await all(manifest.references())).sort(byKey),
    deliveries: await all(manifest.deliveries()),
    folder: await manifest.markedFolder(),
    count: await manifest.count(),
    due: await manifest.findDue({ untilMs: 30 }, 7),
    nextDueAtMs: await manifest.nextDueAtMs(),
    sameBytes: sameBytes.toSorted(byKey),
  }
}

test('whatever is done, and whenever it stops, the manifest is what was acknowledged', async () => {
  const root = await createTempFolder()
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      let directory = join(root, String(run++))
      const model = createMemoryManifest()
      const clock = createFakeClock()
      const disk = createBreakableFiles()
      const open = () => openState(directory, { clock, files: disk.files })
      let { manifest, next, told } = await open()

      for (const step of steps) {
        if (step.kind === 'commit') {
          const commits = step.commits.map((changes) => manifest.commit(changes))
          for (const changes of step.commits) await model.commit(changes)
          await Promise.all(commits)
        } else if (step.kind === 'document') {
          await manifest.commit([{ kind: 'mark-folder', folder: '/marked' }])
          await model.commit([{ kind: 'mark-folder', folder: '/marked' }])
          const written = next('document-written')
          await clock.advance(1000)
          await written
        } else if (step.kind === 'full') {
          disk.breakWhen(({ operation }) => (operation === 'write' ? 'ENOSPC' : undefined))
          await expect(
            manifest.commit([{ kind: 'mark-folder', folder: '/never' }]),
          ).rejects.toThrow('no space')
          disk.repair()
        } else if (step.kind === 'close') {
          await manifest.close()
          ;({ manifest, next, told } = await open())
        } else {
          const dead = directory
          directory = join(root, String(run++))
          await mkdir(directory)
          for (const name of (await readdir(dead)).filter((name) => name.startsWith('manifest.')))
            await copyFile(join(dead, name), join(directory, name))
          await manifest.close()
          ;({ manifest, next, told } = await open())
        }
        const expected = await picture(model)
        expect(await picture(manifest)).toEqual(expected)
        expect(await picture(await readManifest({ directory, corpId: CORP_ID }))).toEqual(expected)
        expect(told.filter((event) => event.kind === 'state-recovered')).toEqual([])
      }
      await manifest.close()
    }),
    { numRuns: 45 },
  )
})

test('names of any kind survive closing and opening', async () => {
  const directory = await createTempFolder()
  const { manifest } = await openState(directory)
  const entries = HOSTILE.flatMap((name) => parseMediaPath(name) ?? []).map((at) => ({
    ...anEntry('x'),
    path: at,
  }))
  await manifest.commit(entries.map((entry) => ({ kind: 'put-entry', entry })))
  await manifest.close()
  const again = await openState(directory)
  const found = await all(again.manifest.entries())
  expect(found.map((entry) => entry.path)).toEqual(entries.map((entry) => entry.path).sort())
  for (const entry of entries) expect(await again.manifest.findEntry(entry.path)).toEqual(entry)
})
