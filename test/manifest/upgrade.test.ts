// States as each version of the format wrote them, byte for byte, which every later program must read. Whoever raises the version adds
// one, and a rung to src/manifest/upgrade.ts; none of them is ever changed.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CURRENT_VERSION } from '../../src/manifest/upgrade.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { all, anEntry, aPath, aReference } from './rows.ts'
import { openState } from './state.ts'

const ROW = `"media_id":"3a_MEDIA-id","type":"image","created_at":"2026-11-22T08:00:00.000Z","expires_at":"2026-11-25T08:00:00.000Z","renew_at":"2026-11-24T00:00:00.000Z"`
const FILE = `"size":81234,"modified_at":"2026-11-22T07:00:00.000Z","sha256":"0000000000000000000000000000000000000000000000000000000000000001","origin":"folder","stamp":"81234:1795330800000.25:1795330800000.5"`
const JOURNAL_1 =
  '876f966d {"format":"wecom-media-mirror/journal","version":1,"corp_id":"ww0123456789abcdef"}\n'

const STATES: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  1: {
    'manifest.json': `{
"format": "wecom-media-mirror/manifest",
"version": 1,
"corp_id": "ww0123456789abcdef",
"written_at": "2026-11-22T08:00:00.000Z",
"journal": 2,
"folder": "/srv/media",
"media": {
"a.jpg": {${ROW},${FILE}}
},
"references": {
"ref-1": {"path":"in/b.jpg","accepted_at":"2026-11-22T08:00:00.000Z","state":"accepted"}
},
"problems": {
"big.mov": {"code":"MEDIA_UNACCEPTABLE","message":"cannot upload \`big.mov\`: 12 MB exceeds 10 MB for video","since":"2026-11-22T08:00:00.000Z"}
},
"checksum": "472c0efa"
}
`,
    'manifest.journal.2': JOURNAL_1,
    'manifest.journal.3': `${JOURNAL_1}7be52afc {"media": {"c.jpg": {${ROW},"checked_at":"1970-01-01T00:00:00.005Z",${FILE}}}, "problems": {"big.mov": null}}\n`,
  },
}

const versions = Array.from({ length: CURRENT_VERSION }, (_, index) => index + 1)

test('there is a state of every version up to this one', () => {
  expect(Object.keys(STATES).map(Number)).toEqual(versions)
})

test.each(versions)(
  'a state of version %i is read whole, and written as one of this version',
  async (version) => {
    const directory = await createTempFolder()
    for (const [name, text] of Object.entries(STATES[version] ?? {}))
      await writeFile(join(directory, name), text)
    const expectAll = async () => {
      const { manifest, tellings } = await openState(directory)
      expect(await all(manifest.entries())).toEqual([
        anEntry('a.jpg'),
        anEntry('c.jpg', { checkedAtMs: 5 }),
      ])
      expect(await all(manifest.references())).toEqual([
        aReference('ref-1', { path: aPath('in/b.jpg') }),
      ])
      expect(await all(manifest.problems())).toEqual([])
      expect(await manifest.markedFolder()).toBe('/srv/media')
      expect(tellings('state-recovered')).toEqual([])
      await manifest.close()
    }
    await expectAll()
    const written = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'))
    expect(written.version).toBe(CURRENT_VERSION)
    await expectAll()
  },
)
