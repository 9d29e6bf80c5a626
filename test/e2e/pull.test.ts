// `pull` as scripts and people use it: many at once, from a list, into a directory, in high definition, and broken off.
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/support/clock.ts'
import { createSite, type LogLine } from '../helpers/program.ts'
import { anAmr, aPdf } from '../helpers/samples.ts'
import { until } from '../helpers/until.ts'
import { withSimulator } from '../helpers/with-simulator.ts'

interface Answer {
  kind: string
  media_id: string
  reference?: { state: string; landed_path: string | null; hd: boolean; into: string | null }
  because?: unknown
}

const answersOf = (stdout: string): Answer[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

const kindsOf = (stdout: string) => answersOf(stdout).map(({ kind }) => kind)

describe.each(['without a daemon', 'with a daemon'])('pull %s', (mode) => {
  const aSite = async (settings = {}) => {
    const wecom = await withSimulator({ clock: systemClock })
    const site = await createSite(wecom.baseUrl, settings)
    const daemon = mode === 'with a daemon' ? await site.startDaemon() : undefined
    const add = (name: string, content = aPdf()) =>
      wecom.controls.addMedia({ kind: 'file', wireName: name, content })
    return { wecom, site, daemon, add }
  }

  it('lands what a list names in a directory, each once, and answers with a line of JSON each', async () => {
    const { wecom, site, add } = await aSite()
    const ids = await Promise.all(['一.pdf', '二.pdf', '三.pdf'].map((name) => add(name)))
    const pull = site.begin('pull', '-', ids[0] ?? '', '--to', '合同/新/', '--json')
    pull.stdin.end(`# of today\r\n\r\n${ids.join('\n')}\n${ids[1]}\n`)
    const { code, stdout, stderr } = await pull.ended()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const answers = answersOf(stdout)
    expect(answers.map(({ media_id }) => media_id).sort()).toEqual([...ids].sort())
    expect(answers.map(({ reference }) => reference?.landed_path).sort()).toEqual(
      ['合同/新/一.pdf', '合同/新/二.pdf', '合同/新/三.pdf'].sort(),
    )
    expect(wecom.controls.counts().get).toBe(3)
    // The directory is there now, so it needs no slash; what has landed there is not fetched again.
    const again = await site.run('pull', ...ids, '--to', join(site.folder, '合同/新'))
    expect([again.code, again.stdout.split('\n').sort()]).toEqual([
      0,
      ['', '合同/新/一.pdf', '合同/新/二.pdf', '合同/新/三.pdf'].sort(),
    ])
    expect(wecom.controls.counts().get).toBe(3)
  })

  it('ends with 1 when some of many failed, naming those, and with their code when all failed alike', async () => {
    const { site, add } = await aSite()
    const id = await add('a.pdf')
    const { code, stdout, stderr } = await site.run('pull', 'dead-1', id, 'two words')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^inbox\/\S+\/a\.pdf\n$/)
    expect(stderr).toContain(
      'cannot fetch dead-1: WeCom does not know it (it expired, or belongs to another corp)',
    )
    expect(stderr).toContain('`two words` cannot be a media_id')
    const one = await site.run('pull', id, 'dead-1', '--to', 'x.pdf')
    expect(one.code).toBe(2)
    expect(one.stderr).toContain('several media cannot land at the one path `x.pdf`')
  })

  it('broken off, leaves accepted what has not landed, and says so', async () => {
    const { wecom, site, daemon, add } = await aSite({ transfer: { downloads: 1 } })
    const ids = await Promise.all(['a.pdf', 'b.pdf'].map((name) => add(name)))
    const stall = { kind: 'stall', forMs: daemon ? 500 : 60_000, at: 'mid-body' } as const
    wecom.controls.addFault({ when: { api: 'get', times: 1 }, fault: stall })
    const pull = site.begin('pull', ...ids, '--json')
    await until(() => wecom.controls.counts().get === 1, { what: 'a download under way' })
    pull.signal('SIGINT')
    const { code, stdout, stderr } = await pull.ended()
    expect(code).toBe(130)
    expect(stderr).toContain('2 media have not landed yet: accepted all the same')
    expect(answersOf(stdout)).toMatchObject([
      { kind: 'accepted', because: { code: 'INTERRUPTED' } },
      { kind: 'accepted', because: { code: 'INTERRUPTED' } },
    ])
    // The daemon goes on; without one the next command that acts does.
    if (daemon) for (const id of ids) await daemon.saw('landed', ofId(id))
    else expect(await site.ask('sync')).toMatchObject({ landed: 2, failed: [] })
  })
})

const ofId = (id: string) => (line: LogLine) =>
  (line.entry as { mediaId?: string } | undefined)?.mediaId === id

describe('pull', () => {
  it('brings a voice in high definition, says what it is, and brings it back as such', async () => {
    const wecom = await withSimulator({ clock: systemClock })
    const site = await createSite(wecom.baseUrl)
    await site.startDaemon()
    const voice = { kind: 'voice', wireName: 'a.amr', content: anAmr() } as const
    const recorded = await wecom.controls.addMedia({ ...voice, fromJsSdk: true })
    const plain = await wecom.controls.addMedia(voice)
    const { code, stdout, stderr } = await site.run('pull', '--hd', recorded, plain, '--to', './')
    expect(code).toBe(1)
    expect(stdout).toBe(`${recorded}.speex\n`)
    expect(stderr).toContain('speex, 16 kHz, which players need a speex decoder for')
    expect(stderr).toMatch(
      new RegExp(`cannot fetch ${plain} in high definition.*another medium, it expired`),
    )
    const file = join(site.folder, `${recorded}.speex`)
    const speech = await readFile(file)
    expect(speech.equals(voice.content)).toBe(false)
    // Without the wish it is another medium; and the plain one lives, only its high definition is not to be had.
    const ordinary = await site.run('pull', recorded, plain, '--to', 'd/')
    expect(ordinary.stdout.trim().split('\n').sort()).toEqual(['d/a (2).amr', 'd/a.amr'])
    expect((await readFile(join(site.folder, 'd/a.amr'))).equals(voice.content)).toBe(true)
    expect((await site.document()).media[`${recorded}.speex`]).toMatchObject({
      hd: true,
      type: 'voice',
      media_id: recorded,
    })
    await rm(file)
    const { calls } = wecom.controls
    const before = calls().length
    expect(await site.run('pull', '--hd', recorded, '--to', `${recorded}.speex`)).toMatchObject({
      stdout: `${recorded}.speex\n`,
    })
    expect((await readFile(file)).equals(speech)).toBe(true)
    expect(
      calls()
        .slice(before)
        .map(({ api }) => api)
        .filter((api) => api !== 'gettoken'),
    ).toEqual(['get-jssdk'])
  })

  it('is answered for each at once when WeCom refuses all, with what is to be done said once', async () => {
    const wecom = await withSimulator({ clock: systemClock })
    const site = await createSite(wecom.baseUrl)
    wecom.controls.addFault({
      when: { api: 'gettoken' },
      fault: { kind: 'errcode', errcode: 40001 },
    })
    const { code, stdout, stderr } = await site.run('pull', 'id-1', 'id-2', '--json')
    expect(code).toBe(77)
    expect(kindsOf(stdout)).toEqual(['accepted', 'accepted'])
    expect(stderr.match(/id-\d: accepted, and fetched as soon as that can be done/g)).toHaveLength(
      2,
    )
    expect(stderr.match(/^ {2}→/gm)).toHaveLength(1)
  })

  it('takes nothing from an empty list, and no list that is endless', async () => {
    const site = await createSite('http://127.0.0.1:9')
    const none = site.begin('pull', '-')
    none.stdin.end('# nothing today\n')
    expect(await none.ended()).toMatchObject({ code: 0, stdout: '' })
    const many = site.begin('pull', '-')
    many.stdin.end(Array.from({ length: 2001 }, (_, number) => `id-${number}\n`).join(''))
    expect(await many.ended()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot pull more than 2000 media at once'),
    })
  })
})
