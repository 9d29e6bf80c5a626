// The ways in which events get lost, each made to happen: a real tree, the real clock, and no rescan that would make it good.
import { execFile } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { createStamp, MARKER_NAME, type MediaPath } from '../../src/media/media.ts'
import { systemClock } from '../../src/support/clock.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import { createFolder } from '../../src/watch/folder.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { age, plant } from '../helpers/tree.ts'
import { until } from '../helpers/until.ts'

async function setUp(files: Record<string, number> = {}) {
  const root = join(await createTempFolder(), 'media')
  mkdirSync(root)
  plant(root, { [MARKER_NAME]: '', ...files })
  const bugs: unknown[] = []
  const scans: string[] = []
  const folder = createFolder({
    root,
    isMarked: true,
    settings: { ignore: [], settleMs: 100, rescanMs: 3_600_000 },
    isWatched: true,
    clock: systemClock,
    emit: (event: MirrorEvent) => void (event.kind === 'scanned' && scans.push(event.because)),
    random: () => 0.5,
    onChange: () => {},
    onRescanned: () => {},
    onBelief: () => {},
    onBug: (bug) => bugs.push(bug),
  })
  onTestFinished(async () => {
    await folder.stop()
    expect(bugs).toEqual([])
  })
  await folder.start()
  /** Every file as it is on disk, at rest; what the folder takes for settled must be this. */
  const isTrue = () => {
    const paths = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((found) => found.isFile() && found.name !== MARKER_NAME)
      .map((found) => join(found.parentPath, found.name).slice(root.length + 1) as MediaPath)
    const isKnown = (path: MediaPath) =>
      folder.get(path)?.stamp === createStamp(statSync(join(root, path)))
    return folder.fileCount() === paths.length && paths.every(isKnown)
  }
  /** So many files at last, all of them at rest and as they are on disk. */
  const agrees = (count: number, what: string) =>
    until(() => folder.fileCount() === count && folder.unsettledCount() === 0 && isTrue(), {
      what: `folder and disk to agree: ${what}`,
    })
  return { root, folder, scans, agrees }
}

/** More events than the kernel's queue holds, while the loop stands still; alike ones in a row would be one. */
function fillQueue(directory: string): void {
  const [one, other] = ['1.txt', '2.txt'].map((name) => openSync(join(directory, name), 'w'))
  for (let round = 0; round < 10_000; round++)
    for (const fd of [one, other]) writeSync(fd ?? -1, 'x')
  for (const fd of [one, other]) closeSync(fd ?? -1)
}

test('fifty new nested directories, filled as fast as a shell can', async () => {
  const { root, agrees } = await setUp()
  const script = `for i in $(seq 50); do mkdir -p a$i/b/c; for j in $(seq 20); do echo $j > a$i/b/c/$j.txt; done; done`
  await promisify(execFile)('sh', ['-c', script], { cwd: root })
  await agrees(1000, 'all that was made')
})

test('a flat directory of very many files: each one that is moved in is seen', async () => {
  const flat = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`flat/${i}.jpg`, 1]))
  const { root, folder, scans } = await setUp(flat)
  for (let number = 0; number < 20; number++) {
    const draft = join(root, '..', `draft-${number}`)
    writeFileSync(draft, 'x')
    age(draft)
    renameSync(draft, join(root, `flat/new-${number}.jpg`))
  }
  await until(() => folder.fileCount() === 3020, { what: '20 more files' })
  expect(scans).toEqual(['start'])
})

test('a full queue in the kernel: what is beyond it is found, and directories made meanwhile are watched', async () => {
  const { root, folder, scans, agrees } = await setUp({ 'd/old.jpg': 1, 'full/a.jpg': 1 })
  fillQueue(join(root, 'full'))
  // Nothing is told of this, of the end of the old directory neither.
  rmSync(join(root, 'd'), { recursive: true })
  plant(root, Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`d/e/${i}.txt`, 1])))
  await agrees(53, 'what the queue could not hold')
  // Found full, and taken for a burst besides: two scans, and no other will come.
  for (const because of ['more changes at once', 'more than 4000 changes'])
    await until(() => scans.join().includes(because), { what: `the scan because of ${because}` })
  const before = scans.length
  writeFileSync(join(root, 'd/later.txt'), 'x')
  await until(() => folder.get('d/later.txt' as MediaPath) !== undefined, {
    what: 'a file in the directory that was made meanwhile',
  })
  expect(scans).toHaveLength(before)
})

test('two writes within 50 ms: it is the last one that counts', async () => {
  const { root, agrees } = await setUp()
  for (let number = 0; number < 100; number++) writeFileSync(join(root, `${number}.txt`), 'first')
  await new Promise((resolve) => setTimeout(resolve, 20))
  for (let number = 0; number < 100; number++) writeFileSync(join(root, `${number}.txt`), 'second!')
  await agrees(100, 'the second writes')
})

test('a tree that is moved in by one rename, and one that is moved out and in again at once', async () => {
  const { root, agrees } = await setUp()
  const outside = join(root, '..', 'outside')
  plant(
    outside,
    Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`${i % 10}/${i % 50}/${i}.jpg`, 1])),
  )
  renameSync(outside, join(root, 'tree'))
  await agrees(500, 'the tree')
  renameSync(join(root, 'tree'), outside)
  renameSync(outside, join(root, 'tree'))
  writeFileSync(join(root, 'tree/1/1/late.txt'), 'x')
  await agrees(501, 'the tree again')
})

test('directories that are deleted and made again within a millisecond, full at once, stay watched', async () => {
  const { root, agrees } = await setUp({ 'd/e/a.jpg': 1 })
  for (let round = 0; round < 40; round++) {
    rmSync(join(root, 'd'), { recursive: true })
    plant(root, { [`d/e/${round}.jpg`]: 1, [`d/${round}.jpg`]: 1 })
    if (round % 10 === 0) await new Promise((resolve) => setTimeout(resolve, round))
  }
  await agrees(2, 'the last of them')
  writeFileSync(join(root, 'd/e/later.txt'), 'x')
  writeFileSync(join(root, 'd/later.txt'), 'x')
  await agrees(4, 'files in the last of them')
})

// chokidar hides what looks like an editor's temporary anywhere in its name; only what the folder itself ignores may be hidden.
test.each(['notes.sublime.tmpl.pdf', 'a.subl1.tmp.jpg', '~start.jpg', 'x~1.jpg', 'a.swp.jpg'])(
  'a file whose name is %s is seen',
  async (name) => {
    const { root, folder } = await setUp()
    writeFileSync(join(root, name), 'x')
    await until(() => folder.get(name as MediaPath) !== undefined, { what: name })
  },
)
