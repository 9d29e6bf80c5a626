import { expect, it } from 'vitest'
import { renderStatus } from '../../src/cli/status.ts'
import type { StatusAnswer } from '../../src/serve/desk.ts'
import { HOUR_MS, NOW_MS } from '../helpers/builders.ts'

const iso = (atMs: number) => new Date(atMs).toISOString()

const running: StatusAnswer = {
  corp_id: 'ww-test',
  folder: '/srv/media',
  state: '/var/lib/mirror',
  daemon: { running: true, pid: 7, started_at: iso(NOW_MS) },
  media: { total: 4, alive: 3, due: 2, expired: 1, unkept: 0, missing: 1 },
  problems: [],
  forgotten: 0,
  references: { accepted: 1, landing: 1, landed: 2, lost: 3 },
  reference_files: [],
  callback: null,
  next_renewals: [],
  late: { count: 0, is_more: false, expired: 0, next_death_at: null },
  renewals: { pace: 0.277, pressure: 0.1, waiting: 2, waiting_dead: 0 },
  capacity: {
    media: { count: 4, bytes: 4000 },
    mean_age_ms: 44 * HOUR_MS,
    needed: { calls_per_hour: 0.1, bytes_per_second: 0 },
    allowed: { calls_per_hour: 75_000, bytes_per_second: null },
    slots: { calls_per_hour: null },
    limit: 'quota',
    fits: 'yes',
    most_media: 3_300_000,
    summary: '4 media take 0.1 of the 75000 calls/h allowed',
    advice: null,
  },
  queue: { waiting: 5, in_flight: ['a.jpg'] },
  circuit: { state: 'closed', since: null, next_probe_at: null, because: null, from_ip: null },
  doubt: null,
  hooks: [],
  troubles: [],
  clock_skew_ms: 0,
  not_available_yet: [],
}
const stopped: StatusAnswer = {
  ...running,
  daemon: { running: false, pid: null, started_at: null },
  media: { ...running.media, missing: null },
  renewals: null,
  circuit: { ...running.circuit, state: 'unknown' },
}
const screen = (status: StatusAnswer) => renderStatus(status, NOW_MS)

it('shows the whole in one screen', () => {
  expect(screen(running)).toBe(
    `folder      /srv/media
state       /var/lib/mirror
daemon      running, process 7, since ${iso(NOW_MS)}
media       3 alive of 4; 2 due, 1 expired, 1 missing
problems    0
references  1 waiting, 1 landing, 2 landed, 3 lost
circuit     closed: WeCom may be called
capacity    4 media take 0.1 of the 75000 calls/h allowed
renewals    2 waiting, which at 28 % of the allowed rate are all in time
queue       5 waiting, 1 in flight`,
  )
})

it('tells of each hook what waits, what became of the rest, and why it fails', () => {
  const well = {
    name: 'tell',
    target: 'run /usr/local/bin/tell',
    events: ['lost'],
    waiting: 0,
    delivered: 12,
    given_up: 0,
    failing_since: null,
    last_error: null,
  }
  const failing = {
    ...well,
    name: 'shop',
    target: 'post https://shop.example',
    waiting: 3,
    given_up: 2,
    failing_since: iso(NOW_MS),
    last_error: 'exit code 1: \u001b[2J',
  }
  const text = screen({ ...running, hooks: [well, failing] })
  expect(text).toContain('hook tell   run /usr/local/bin/tell: 0 waiting, 12 delivered\n')
  expect(text).toContain(
    `post https://shop.example: 3 waiting, 12 delivered, 2 given up; fails since ${iso(NOW_MS)}: exit code 1: \\u{1b}[2J`,
  )
  const unknown = { ...well, delivered: null, given_up: null }
  expect(screen({ ...stopped, hooks: [unknown] })).toMatch(/tell: 0 waiting$/m)
})

it('does not call expired what landed and nobody keeps alive', () => {
  const media = { total: 5, alive: 1, due: 0, expired: 0, unkept: 4, missing: 0 }
  expect(screen({ ...running, media })).toContain(
    '1 alive of 5; 0 due, 0 expired, 0 missing; 4 landed and not kept alive (`references.renew`)',
  )
  expect(screen({ ...stopped, media })).not.toContain('no daemon renews them')
})

it('calls a renewal whose moment is over the next, and lets a long name push no other row aside', () => {
  const next_renewals = [
    { path: 'a.jpg', renew_at: iso(NOW_MS - 1100) },
    { path: 'long'.repeat(60), renew_at: iso(NOW_MS + 3 * HOUR_MS) },
  ]
  const text = screen({ ...running, next_renewals })
  expect(text).toMatch(/^a\.jpg {2}now$/m)
  expect(text).toMatch(/longlong {2}in 3 h$/m)
})

it('does not say what only a running daemon knows', () => {
  const text = screen(stopped)
  expect(text).toContain('unknown how many missing')
  expect(text).toContain('/srv/media (not looked at: only a running daemon does)')
  expect(text).toContain('circuit     unknown')
  expect(text).not.toContain('queue')
})

it('warns that nobody renews what is due or expired while no daemon runs', () => {
  expect(screen(stopped)).toContain('2 media are due and 1 has expired, and no daemon renews them')
  const fresh = { ...stopped, media: { ...stopped.media, due: 0, expired: 0 } }
  expect(screen(fresh)).not.toContain('no daemon renews them')
  expect(screen(running)).not.toContain('no daemon renews them')
})

it('tells an open circuit with its cause, remedy, address and next try', () => {
  const because = {
    code: 'WECOM_REFUSED',
    message: 'the address is not trusted',
    hint: 'Add it.',
    remedy: 'stop',
    errcode: 60020,
  }
  const circuit = {
    state: 'open',
    since: iso(NOW_MS),
    next_probe_at: iso(NOW_MS + 90_000),
    because,
    from_ip: '192.0.2.7',
  } as const
  expect(screen({ ...running, circuit })).toContain(
    'open, next try in 90 s: the address is not trusted\n  → Add it. (WeCom saw address 192.0.2.7)',
  )
})

it('shows doubt, skew, renewals and keys that do nothing yet', () => {
  const text = screen({
    ...running,
    doubt: { because: '`/srv/media` is gone', hint: 'Mount it.' },
    clock_skew_ms: -5000,
    next_renewals: [{ path: 'a\nb.jpg', renew_at: iso(NOW_MS + 3 * HOUR_MS) }],
    not_available_yet: ['http'],
  })
  expect(text).toContain('the folder is not believed: `/srv/media` is gone\n  → Mount it.')
  expect(text).toContain("-5 s off WeCom's")
  expect(text).toContain('a\\u{a}b.jpg  in 3 h')
  expect(text).toContain('`http` is set but not available yet')
})

it('tells of reference files what they are, and by name what is wrong with one', () => {
  const file = { file: '/x', kind: 'list', count: 1, read_at: iso(NOW_MS), problem: null } as const
  const reference_files = [
    { ...file, kind: 'manifest' as const },
    file,
    { ...file, kind: null, problem: 'cannot read `/y`: it is not there' },
  ]
  expect(screen({ ...running, reference_files })).toContain(
    '1 manifests of other hosts, 1 lists, 1 never read yet\n  → cannot read `/y`: it is not there',
  )
})

it('counts the problems that do not fit the screen', () => {
  const problem = {
    code: 'MEDIA_UNACCEPTABLE',
    message: 'too\x1blarge',
    since: iso(NOW_MS),
  } as const
  const problems = Array.from({ length: 20 }, (_, number) => ({ ...problem, path: `${number}` }))
  const text = screen({ ...running, problems })
  expect(text).toContain('problems    20')
  expect(text).toContain('… and 5 more: status --json')
  expect(text.match(/too\\u\{1b\}large/g)).toHaveLength(15)
})

it.each([
  [0, 0, '2 waiting, which at 0 % of the allowed rate are all in time'],
  [0.001, 0, '2 waiting, which at less than 1 % of the allowed rate are all in time'],
  [1.2, 0.8, '2 waiting: some come late, and all before they die at 80 % of the allowed rate'],
  [1.4, 1.3, '2 waiting: some die, all of them would take 130 % of the allowed rate'],
])('tells a pace of %f and a pressure of %f', (pace, pressure, line) => {
  const renewals = { pace, pressure, waiting: 2, waiting_dead: 0 }
  expect(screen({ ...running, renewals })).toContain(`renewals    ${line}\n`)
})

it.each([
  [0.3, 0.1, '2 waiting, which at 30 % of the allowed rate are all in time'],
  [1.4, 1.3, '2 waiting: some die, all of them would take 130 % of the allowed rate'],
])('calls nothing in time that is dead, at a pace of %f', (pace, pressure, line) => {
  const renewals = { pace, pressure, waiting: 9, waiting_dead: 7 }
  expect(screen({ ...running, renewals })).toContain(
    `renewals    ${line}; and 7 dead, renewed with what the living leave\n`,
  )
})

it('counts what is late, and says which setting helps when not all fits', () => {
  const text = screen({
    ...running,
    late: { count: 12_000, is_more: true, expired: 7, next_death_at: iso(NOW_MS) },
    capacity: { ...running.capacity, fits: 'too-much', advice: 'Raise `wecom.quota.share`.' },
  })
  expect(text).toContain(
    'problems    0; at least 12000 media are late for renewal, 7 of them dead\n',
  )
  expect(text).toContain('calls/h allowed\n  → Raise `wecom.quota.share`.\n')
})

it("counts the time to the next renewals on WeCom's clock", () => {
  const text = screen({
    ...running,
    clock_skew_ms: 2 * HOUR_MS,
    next_renewals: [{ path: 'a.jpg', renew_at: iso(NOW_MS + 5 * HOUR_MS) }],
  })
  expect(text).toContain('a.jpg  in 3 h')
})

it('tells what the receiver of messages has seen', () => {
  const callback = {
    verified: 1,
    accepted: 12,
    duplicates: 2,
    ignored: { text: 3, event: 1 },
    refused: { signature: 4 },
    last_accepted_at: iso(NOW_MS),
  }
  expect(screen({ ...running, callback })).toContain(
    `callback    12 media received (2 repeated), the last at ${iso(NOW_MS)}; passed by: 3 text, 1 event; refused: 4 signature\n`,
  )
  const silent = { ...callback, accepted: 0, duplicates: 0, ignored: {}, refused: {} }
  expect(screen({ ...running, callback: { ...silent, last_accepted_at: null } })).toContain(
    'callback    0 media received\n',
  )
})
