// Reference files on a real disk: what they say is taken in once, and what is wrong with one is told and costs the others nothing.
import { execFile } from 'node:child_process'
import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, vi } from 'vitest'
import { parseYaml } from '../../src/config/yaml-document.ts'
import { readEntries } from '../../src/manifest/read-entries.ts'
import type { MediaPath, WantedReference } from '../../src/media/media.ts'
import { createReferenceFiles } from '../../src/references/reference-files.ts'
import type { MirrorEvent } from '../../src/support/events.ts'
import { anEntry, NOW_MS } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { openState } from './peer-state.ts'

const SETTLE_MS = 1000

async function setUp(...names: string[]) {
  let onAccept = () => {}
  const root = await createTempFolder('lists')
  const clock = createFakeClock(NOW_MS)
  const accepted: WantedReference[] = []
  const told: MirrorEvent[] = []
  const offered: MediaPath[] = []
  const readPlaced = vi.fn(parseYaml)
  await mkdir(join(root, 'state'))
  const files = createReferenceFiles({
    patterns: names.map((name) => join(root, name)),
    settleMs: SETTLE_MS,
    // The second look comes at once: what has not settled by then is left to the next.
    clock: { ...clock, sleep: async () => {} },
    readPlaced,
    readEntries: (bytes, file) => readEntries(bytes, { corpId: 'ww-test', file }),
    isOwn: (truePath) => truePath.startsWith(join(root, 'state/')),
    async accept(wanted) {
      accepted.push(wanted)
      onAccept()
    },
    onOffers: (paths) => void offered.push(...paths),
    emit: (event) => told.push(event),
    onBug: (error) => {
      throw error
    },
  })
  const write = async (name: string, text: string | Buffer, { isOld = true } = {}) => {
    await writeFile(join(root, `${name}.new`), text)
    const seconds = (isOld ? clock.nowMs() - 2 * SETTLE_MS : clock.nowMs()) / 1000
    await utimes(join(root, `${name}.new`), seconds, seconds)
    await rename(join(root, `${name}.new`), join(root, name))
  }
  const problems = () =>
    files.report().flatMap(({ problem }) => problem?.replaceAll(root, '') ?? [])
  const said = () =>
    told.flatMap((event) =>
      event.kind === 'reference-file-refused' ? event.because.replaceAll(root, '') : [],
    )
  return {
    root,
    clock,
    files,
    write,
    accepted,
    told,
    said,
    offered,
    problems,
    readPlaced,
    onAccept: (act: () => void) => void (onAccept = act),
  }
}

const ids = (accepted: readonly WantedReference[]) => accepted.map(({ mediaId }) => mediaId)

it.each([
  [
    'a.json',
    '[{"media_id": "id-1", "path": "./in/a.jpg", "created_at": 1795334400, "from": "li"}, {"media_id": "id-2"}]',
  ],
  [
    'a.ndjson',
    '{"media_id": "id-1", "path": "in/a.jpg", "created_at": "1795334400", "from": "li"}\n\n{"media_id": "id-2", "path": null}\n',
  ],
  [
    'a.json',
    '{"media_id": "id-1", "path": "in/a.jpg", "created_at": 1795334400, "from": "li"}\n{"media_id": "id-2"}\n',
  ],
  [
    'a.yaml',
    '- media_id: id-1\n  path: in/a.jpg\n  created_at: "2026-11-22T08:00:00Z"\n  from: li\n- { media_id: id-2 }\n',
  ],
])('takes in every row of %s, once', async (name, text) => {
  const { files, write, accepted, problems } = await setUp(name)
  await write(name, text)
  await files.look()
  await files.look()
  const createdAtMs = 1795334400_000
  expect(accepted).toEqual([
    { mediaId: 'id-1', path: 'in/a.jpg', createdAtMs, from: 'li' },
    { mediaId: 'id-2' },
  ])
  expect(problems()).toEqual([])
})

it('takes in what a file says anew, and nothing twice', async () => {
  const { files, write, accepted } = await setUp('*.ndjson')
  await write('a.ndjson', '{"media_id":"id-1"}\n')
  await files.look()
  await write('a.ndjson', '{"media_id":"id-1"}\n{"media_id":"id-2"}\n')
  // Another file that the glob finds from now on; what stands in both counts once.
  await write('b.ndjson', '{"media_id":"id-2","path":"elsewhere.jpg"}\n{"media_id":"id-3"}\n')
  await files.look()
  expect(ids(accepted)).toEqual(['id-1', 'id-2', 'id-3'])
})

it('understands milliseconds as well, and refuses what nobody can have uploaded yet', async () => {
  const { files, write, accepted, problems } = await setUp('a.yaml')
  const inAnHour = new Date(NOW_MS + 3_600_000).toISOString()
  const moments = [NOW_MS, `"${NOW_MS}"`, NOW_MS / 1000, 1e20, NOW_MS * 10, `"${inAnHour}"`]
  const rows = moments.map((moment, index) => `- { media_id: id-${index}, created_at: ${moment} }`)
  await write('a.yaml', rows.join('\n'))
  await files.look()
  const createdAtMs = NOW_MS
  expect(accepted).toEqual([
    { mediaId: 'id-0', createdAtMs },
    { mediaId: 'id-1', createdAtMs },
    { mediaId: 'id-2', createdAtMs },
  ])
  expect(problems()).toEqual([
    '`/a.yaml`, line 4, column 33: `created_at` is not a time; line 5, column 33: `created_at` lies in the future; line 6, column 33: `created_at` lies in the future',
  ])
})

it('reads what an editor of Windows wrote as UTF-8, and says of other encodings what they are', async () => {
  const { files, write, accepted, problems } = await setUp('*')
  await write('a.ndjson', '\ufeff{"media_id":"id-1"}\r\n\r\n{"media_id":"id-2"}\r\n')
  await write('b.json', '\ufeff[{"media_id":"id-3"}]\r\n')
  await write('c.json', Buffer.from('\ufeff[{"media_id":"id-4"}]', 'utf16le'))
  // 海报 in GBK.
  await write('d.yaml', Buffer.from('- media_id: id-5\n  path: "\xba\xa3\xb1\xa8.jpg"\n', 'latin1'))
  await files.look()
  expect(ids(accepted)).toEqual(['id-1', 'id-2', 'id-3'])
  expect(problems()).toEqual([
    expect.stringMatching(/^`\/c.json`, line 1, column 1: this is not UTF-8/),
    expect.stringMatching(/^`\/d.yaml`, line 2, column 10: this is not UTF-8/),
    '`/state` is not a file',
  ])
})

it('passes by a pipe that nobody writes', async () => {
  const { root, files, write, accepted, problems } = await setUp('a.json', 'b.json')
  await promisify(execFile)('mkfifo', [join(root, 'a.json')])
  await write('b.json', '[{"media_id":"id-1"}]')
  await files.look()
  expect(ids(accepted)).toEqual(['id-1'])
  expect(problems()).toEqual(['`/a.json` is not a file'])
})

it('says how to write what YAML takes for a number', async () => {
  const { files, write, problems } = await setUp('a.yaml')
  await write('a.yaml', '- { media_id: id-1, from: 007 }\n- { media_id: id-2, path: 2026 }\n')
  await files.look()
  expect(problems()).toEqual([
    '`/a.yaml`, line 1, column 27: `from` is not a text: put it in quotes; line 2, column 27: `path` is not a text: put it in quotes',
  ])
})

it('misses no list that a glob found and finds no more, but one that is named', async () => {
  const { root, files, write, accepted, problems } = await setUp('*.ndjson', 'named.json')
  await write('a.ndjson', '{"media_id":"id-1"}\nnonsense\n')
  await write('named.json', '[]')
  await files.look()
  await Promise.all(['a.ndjson', 'named.json'].map((name) => rm(join(root, name))))
  await files.look()
  expect(problems()).toEqual(['cannot read `/named.json`: it is not there'])
  await write('a.ndjson', '{"media_id":"id-1"}\n{"media_id":"id-2"}\n')
  await files.look()
  // Taking it in a second time changes nothing (acceptance.ts).
  expect(ids(accepted)).toEqual(['id-1', 'id-1', 'id-2'])
})

it('stops in the middle of a large list', async () => {
  const { files, write, accepted, onAccept } = await setUp('a.ndjson')
  await write(
    'a.ndjson',
    Array.from({ length: 5000 }, (_, n) => `{"media_id":"id-${n}"}`).join('\n'),
  )
  let stopped: Promise<void> | undefined
  onAccept(() => {
    stopped ??= files.stop()
  })
  await files.look()
  await stopped
  expect(accepted.length).toBeGreaterThan(0)
  expect(accepted.length).toBeLessThanOrEqual(1000)
})

it('finds what makes no sense in a list too large for the reader that knows all places', async () => {
  const { files, write, accepted, problems, readPlaced } = await setUp(
    'a.json',
    'b.json',
    'c.json',
    'd.yaml',
  )
  const rows = Array.from({ length: 6 }, (_, index) =>
    JSON.stringify({ media_id: `id-${index}`, from: `"[{,${'x'.repeat(2 ** 20)}` }),
  )
  rows[3] = '  {"media_id": 7}'
  await write('a.json', `[\n${rows.join(',\n')}\n]\n`)
  rows[2] = '{"media_id" "id"}'
  await write('b.json', `[\n${rows.join(',\n')}\n]\n`)
  await write('c.json', `${rows.join('\n')}\n`)
  await write('d.yaml', `[\n${rows.join(',\n')}\n]\n`)
  await files.look()
  expect(ids(accepted)).toEqual([
    ...['id-0', 'id-1', 'id-2', 'id-4', 'id-5'],
    // Those of the third file that stand in the first count once.
  ])
  expect(problems()).toEqual([
    '`/a.json`, line 5, column 3: `media_id` is missing, or cannot be one',
    '`/b.json`, line 4, column 1: this is not JSON',
    '`/c.json`, line 3, column 1: this line is not JSON; line 4, column 1: `media_id` is missing, or cannot be one',
    expect.stringContaining('`/d.yaml` is larger than 4 MB: use JSON or NDJSON'),
  ])
  expect(readPlaced).not.toHaveBeenCalled()
})

it('tells the place of what makes no sense, and takes in the rest', async () => {
  const { files, write, accepted, problems, said } = await setUp(
    'a.yaml',
    'b.json',
    'c.ndjson',
    'd.json',
  )
  await write('a.yaml', '- media_id: id-1\n- media_id: id-2\n  path: ../out.jpg\n')
  await write('b.json', '[{"media_id": "id-3"},\n {"path": "x"}]')
  await write(
    'c.ndjson',
    '{"media_id": "id-4"}\nnonsense\n{"media_id": "id-5", "created_at": "soon"}\n',
  )
  await files.look()
  await files.look()
  expect(ids(accepted)).toEqual(['id-1', 'id-3', 'id-4'])
  expect(problems()).toEqual([
    '`/a.yaml`, line 3, column 9: `path` is no path inside the folder',
    '`/b.json`, line 2, column 2: `media_id` is missing, or cannot be one',
    '`/c.ndjson`, line 2, column 1: this line is not JSON; line 3, column 1: `created_at` is not a time',
    'cannot read `/d.json`: it is not there',
  ])
  expect(said()).toEqual(problems())
})

it('waits for a file that is still being written, and tells of it when it stays broken', async () => {
  const { files, write, accepted, problems, clock } = await setUp('a.json', 'b.yaml')
  await write('a.json', '[{"media_id": "id-1"}, {"med', { isOld: false })
  // Cut off within an id: it makes sense, and says something else.
  await write('b.yaml', '- media_id: id-2', { isOld: false })
  await files.look()
  expect([accepted, problems()]).toEqual([[], []])
  await clock.advance(SETTLE_MS)
  await files.look()
  expect(ids(accepted)).toEqual(['id-2'])
  expect(problems()).toEqual([
    expect.stringMatching(/^`\/a.json`, line 1, column \d+: this is not YAML/),
  ])
  await write('a.json', '[{"media_id": "id-1"}]', { isOld: false })
  await files.look()
  expect(ids(accepted)).toEqual(['id-2', 'id-1'])
  expect(problems()).toEqual([])
})

it('offers what the manifest of another host says, and says nothing less while it is broken or gone', async () => {
  const { root, files, write, offered, problems, told, clock } = await setUp('peer.json')
  const text = await openState([anEntry({ path: 'a.jpg' }), anEntry({ path: 'b.jpg' })])
  await write('peer.json', text)
  await files.look()
  expect(offered).toEqual(['a.jpg', 'b.jpg'])
  await write('peer.json', text.subarray(0, text.length - 40))
  await files.look()
  // It was replaced under our eyes: perhaps its writer is not done.
  expect(problems()).toEqual([])
  await clock.advance(SETTLE_MS)
  await files.look()
  expect(problems()).toEqual([expect.stringContaining('it is not JSON (line ')])
  await rm(join(root, 'peer.json'))
  await files.look()
  expect([...files.offers.paths()]).toEqual(['a.jpg', 'b.jpg'])
  await write('peer.json', await openState([anEntry({ path: 'a.jpg' })]))
  await files.look()
  expect(offered.slice(2)).toEqual(['b.jpg'])
  expect([...files.offers.paths()]).toEqual(['a.jpg'])
  expect(told.at(-1)).toMatchObject({ kind: 'reference-file-mended' })
})

it('refuses the manifest of another corp, and its own', async () => {
  const { files, write, offered, problems } = await setUp('other.json', 'state/manifest.json')
  await write('other.json', await openState([anEntry()], 'ww-other'))
  await write('state/manifest.json', await openState([anEntry()]))
  await files.look()
  expect(problems()).toEqual([
    expect.stringContaining('it belongs to corp `ww-other`'),
    "`/state/manifest.json` is this mirror's own",
  ])
  expect(offered).toEqual([])
})
