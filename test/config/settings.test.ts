import { describe, expect, it } from 'vitest'
import { ENTERPRISE_ACCOUNT_LIMITS, WECOM_LIMITS } from '../../src/media/limits.ts'
import { REQUIRED, read } from './reading.ts'

const HOUR_MS = 3_600_000

/** `REQUIRED` with one more line inside `wecom`. */
const withWecom = (line: string) => `wecom:
  corpId: ww1
  secret: s3cr3t
  ${line}
folder: { path: /srv/media }
`

it('fills in every default of the contract', () => {
  expect(read(REQUIRED)).toEqual({
    file: '/etc/mirror/config.yaml',
    wecom: {
      corpId: 'ww1',
      secret: { text: 's3cr3t' },
      baseUrl: 'https://qyapi.weixin.qq.com',
      proxy: undefined,
      limits: WECOM_LIMITS,
      quota: { perMinute: 10_000, perHour: 150_000, share: 0.5 },
    },
    folder: {
      path: '/srv/media',
      ignore: [],
      settleMs: 1_000,
      rescanMs: 600_000,
      onDelete: 'restore',
      downgrade: true,
      rules: [],
    },
    state: '/etc/mirror/state',
    manifest: { mode: 0o640 },
    renewal: {
      lifetimeMs: 72 * HOUR_MS,
      beforeMs: 24 * HOUR_MS,
      spreadMs: 8 * HOUR_MS,
      schedule: '*/5 * * * *',
    },
    restore: { schedule: '*/5 * * * *' },
    audit: { schedule: '17 3 * * *', sampleCount: 100 },
    references: { files: [], renew: false, inbox: 'inbox/{date}/{name}' },
    callback: undefined,
    transfer: { uploads: 4, downloads: 4, bandwidthBytesPerSecond: undefined },
    http: { listen: '127.0.0.1:8787', token: undefined },
    on: [],
    log: { level: 'info', format: 'auto' },
    notAvailableYet: [],
  })
})

describe('paths', () => {
  it('are relative to the file', () => {
    const { folder, state, wecom, http } = read(`
wecom: { corpId: ww1, secret: { file: ../secrets/wecom } }
folder: { path: media }
state: ../state
http: { listen: "unix:run/http.sock" }
`)
    expect(folder.path).toBe('/etc/mirror/media')
    expect(state).toBe('/etc/state')
    expect(wecom.secret).toEqual({ file: '/etc/secrets/wecom' })
    expect(http).toEqual({ listen: 'unix:/etc/mirror/run/http.sock', token: undefined })
  })

  it('of the state come from systemd when the file is silent, the first where there are several', () => {
    expect(read(REQUIRED, { STATE_DIRECTORY: '/var/lib/a:/var/lib/b' }).state).toBe('/var/lib/a')
    expect(read(REQUIRED, { STATE_DIRECTORY: '' }).state).toBe('/etc/mirror/state')
    expect(read(`${REQUIRED}state: /x`, { STATE_DIRECTORY: '/var/lib/a' }).state).toBe('/x')
  })
})

describe('the time of renewal', () => {
  it('follows from the lifetime: a third and a ninth', () => {
    expect(read(`${REQUIRED}renewal: { lifetime: 3m }`).renewal).toMatchObject({
      lifetimeMs: 180_000,
      beforeMs: 60_000,
      spreadMs: 20_000,
    })
  })

  it('is what the file says where it says it', () => {
    const { renewal } = read(
      `${REQUIRED}renewal: { before: 1h 30m, spread: 0s, schedule: "*/3 * * * * *" }`,
    )
    expect(renewal).toEqual({
      lifetimeMs: 72 * HOUR_MS,
      beforeMs: 1.5 * HOUR_MS,
      spreadMs: 0,
      schedule: '*/3 * * * * *',
    })
  })
})

describe('limits', () => {
  it('can be a profile', () => {
    expect(read(withWecom('limits: enterprise-account')).wecom.limits).toEqual(
      ENTERPRISE_ACCOUNT_LIMITS,
    )
  })

  it('can be own numbers on top of the profile `wecom`', () => {
    const { limits } = read(
      withWecom(
        'limits: { image: { maxSize: 2MB }, voice: { maxDuration: 30s }, file: { formats: [pdf] } }',
      ),
    ).wecom
    expect(limits).toEqual({
      image: { ...WECOM_LIMITS.image, maxBytes: 2 * 2 ** 20 },
      voice: { ...WECOM_LIMITS.voice, maxDurationMs: 30_000 },
      video: WECOM_LIMITS.video,
      file: { ...WECOM_LIMITS.file, formats: ['pdf'] },
    })
  })
})

it.each([
  ['baseUrl: https://wx.example.com/gate/', { baseUrl: 'https://wx.example.com/gate' }],
  ['baseUrl: simulator', { baseUrl: 'simulator' }],
  ['proxy: http://user:pw@proxy:3128', { proxy: 'http://user:pw@proxy:3128' }],
  ['quota: { share: 0.25 }', { quota: { perMinute: 10_000, perHour: 150_000, share: 0.25 } }],
])('takes `%s`', (line, expected) => expect(read(withWecom(line)).wecom).toMatchObject(expected))

it('calls the kind of a rule a kind', () => {
  const { rules } = read(
    'wecom: { corpId: a, secret: b }\nfolder: { path: /m, rules: [{ match: "v/**", type: voice }] }',
  ).folder
  expect(rules).toEqual([{ match: 'v/**', kind: 'voice' }])
})

it('takes a key with nothing behind it as not written', () => {
  const empty = read(`${REQUIRED}audit:\n  # sample: 5\nhttp:\nrenewal:\n  lifetime:\n`)
  expect(empty).toEqual(read(REQUIRED))
})

it('takes a byte order mark, carriage returns, comments, and an alias of a single value', () => {
  const text = `${REQUIRED}# 注释\nrenewal: { schedule: &often "*/2 * * * *" }\nrestore: { schedule: *often }\n`
  expect(read(text.replaceAll('\n', '\r\n')).restore.schedule).toBe('*/2 * * * *')
})

it('takes a bandwidth as bytes in a second', () => {
  const { transfer, notAvailableYet } = read(`${REQUIRED}transfer: { bandwidth: 5MB }\n`)
  expect(transfer.bandwidthBytesPerSecond).toBe(5 * 2 ** 20)
  expect(notAvailableYet).toEqual([])
})

it('receives messages when it has their secrets, at a place of its own', () => {
  const { notAvailableYet, callback } = read(
    `${REQUIRED}callback: { token: abc, encodingAesKey: ${'k'.repeat(43)} }\n`,
  )
  expect(notAvailableYet).toEqual([])
  expect(callback).toEqual({
    listen: '0.0.0.0:8788',
    path: '/wecom/callback',
    token: { text: 'abc' },
    encodingAesKey: { text: 'k'.repeat(43) },
    saveTo: 'inbox/{date}/{from}/{name}',
  })
})

describe('what does not exist yet', () => {
  it('is accepted, and named', () => {
    const { notAvailableYet } = read(`${REQUIRED}
http: { listen: "127.0.0.1:9000" }
`)
    expect(notAvailableYet).toEqual(['http'])
  })

  it('is not named when the file turns it off or says what holds anyway', () => {
    const off = read(
      `${REQUIRED}http: false\nreferences: { files: [other.json] }\ntransfer: { bandwidth: unlimited }\n`,
    )
    expect(off.notAvailableYet).toEqual([])
    expect(off.http).toBe(false)
  })
})
