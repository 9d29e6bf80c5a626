// What can go wrong on the way to WeCom, for each of the calls it can befall, and what comes of it: one table, held against the whole client
// (token, retries, quota, circuit) over real sockets. `fault-matrix.md` is this table as it was seen; it is written by the test itself.
import { expect, it } from 'vitest'
import { isMirrorError, type Remedy } from '../../src/errors.ts'
import { type Cell, renderMatrix } from './fault-matrix-page.ts'
import {
  type Break,
  createFaultyWecom,
  type FaultyWecom,
  type Purpose,
  settle,
} from './faulty-wecom.ts'

interface Expected {
  readonly remedy: Remedy
  /** Calls that leave for one operation before it is given up, the circuit still closed. */
  readonly calls: number
  /** After how many such operations in a row nothing is called any more but a rare probe. */
  readonly stopsAfter: number | 'never'
  /** When it strikes a single time: whether that operation goes through all the same. */
  readonly once: 'goes through' | 'fails'
}

/** Time cures it: three attempts, and after three operations in vain the circuit. */
const OUTAGE: Expected = { remedy: 'retry', calls: 3, stopsAfter: 3, once: 'goes through' }
/** The body breaks off when the answer was taken for good: what came is kept, and the rest asked for by who reads it. */
const BROKEN_BODY: Expected = { remedy: 'retry', calls: 1, stopsAfter: 3, once: 'fails' }
/** A person must act. */
const ADMIN: Expected = { remedy: 'stop', calls: 1, stopsAfter: 1, once: 'fails' }
/** We called too much. */
const SLOWER: Expected = { remedy: 'slow-down', calls: 1, stopsAfter: 1, once: 'fails' }
/** This one file or id is at fault, and no other waits for it. */
const FILE: Expected = { remedy: 'skip', calls: 1, stopsAfter: 'never', once: 'fails' }
/** Refused tokens: made once more with another token; when that is refused as well, it is not replaced again so soon. */
const TOKEN: Expected = { remedy: 'retry', calls: 4, stopsAfter: 3, once: 'goes through' }

interface Fault {
  readonly name: string
  readonly how: Break | 'nobody listens'
  /** A matter of time: while it strikes, the line's time passes. */
  readonly isSlow?: true
  /** What the person who reads the message is told, whatever the call. */
  readonly says: RegExp
  /** The same, where gettoken cannot be told as the others are. */
  readonly saysOfToken?: RegExp
  readonly token: Expected
  readonly upload: Expected
  readonly download: Expected
}

const PAGE = '<html><body>Somebody else is speaking</body></html>'

/** Answers in place of the service, once all of the request has come. */
const answer =
  (status: number, headers: Record<string, string>, body: string | Buffer = ''): Break =>
  async ({ request, response }) => {
    await request.resume().toArray()
    response.writeHead(status, headers).end(body)
  }
const page = (status: number): Break => answer(status, { 'Content-Type': 'text/html' }, PAGE)
const json = (value: unknown): Break =>
  answer(200, { 'Content-Type': 'application/json' }, JSON.stringify(value))
const errcode = (number: number, errmsg = 'no, from ip: 203.0.113.7, more info at …'): Break =>
  json({ errcode: number, errmsg })

const everywhere = (expected: Expected) => ({
  token: expected,
  upload: expected,
  download: expected,
})
const refusedBy = (number: number, meaning: string, says: RegExp, expected: Expected): Fault => ({
  name: `errcode ${number}: ${meaning}`,
  how: errcode(number),
  says,
  ...everywhere(expected),
})
const STRANGE_FOR_TOKEN = {
  token: ADMIN,
  saysOfToken: /gettoken is not known to answer this: check that `wecom.baseUrl` leads to WeCom/,
}
/** What only a file can be refused for is, in answer to gettoken, no file's fault. */
const fileRefusedBy = (number: number, meaning: string, says: RegExp): Fault => ({
  ...refusedBy(number, meaning, says, FILE),
  ...STRANGE_FOR_TOKEN,
})

const FAULTS: readonly Fault[] = [
  {
    name: 'nobody listens',
    how: 'nobody listens',
    says: /ECONNREFUSED.*check the network, the firewall and `wecom.baseUrl`/,
    ...everywhere(OUTAGE),
  },
  {
    name: 'reset before the answer',
    how: ({ socket }) => void socket.resetAndDestroy(),
    says: /(ECONNRESET|EPIPE).*check the body limit of the proxy in between/,
    ...everywhere(OUTAGE),
  },
  {
    name: 'performed, and reset instead of the answer',
    async how({ socket, perform }) {
      await perform()
      socket.resetAndDestroy()
    },
    says: /ECONNRESET.*check the body limit of the proxy in between/,
    ...everywhere(OUTAGE),
  },
  {
    name: 'reset in the middle of the answer',
    async how({ response, perform }) {
      const { status, headers, body } = await perform()
      response.writeHead(status, { ...headers, 'content-length': body.length })
      response.write(body.subarray(0, body.length / 2), () => response.socket?.resetAndDestroy())
    },
    says: /ECONNRESET.*check the body limit of the proxy in between/,
    ...everywhere(OUTAGE),
    download: BROKEN_BODY,
  },
  {
    name: 'the answer ends before its announced length',
    async how({ response, perform }) {
      const { status, headers, body } = await perform()
      response.writeHead(status, { ...headers, 'content-length': body.length + 9 })
      response.write(body, () => response.socket?.end())
    },
    says: /ECONNRESET.*check the body limit of the proxy in between/,
    ...everywhere(OUTAGE),
    download: BROKEN_BODY,
  },
  {
    name: 'what answers does not speak HTTP (but TLS, say)',
    how: ({ socket }) => void socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 70])),
    says: /HPE_\w+.*does not speak HTTP; check the address/,
    ...everywhere(OUTAGE),
  },
  {
    name: 'silence',
    how: () => {},
    isSlow: true,
    says: /nothing moved for 60 s.*check the line/,
    ...everywhere(OUTAGE),
  },
  {
    name: 'an answer that trickles for ever',
    how({ response }) {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 100_000 })
      const trickle = () => {
        if (response.destroyed) return
        response.write(' ')
        setImmediate(trickle)
      }
      trickle()
    },
    isSlow: true,
    says: /slower than the limit.*check the line/,
    ...everywhere(OUTAGE),
  },
  {
    name: "a gateway's page, HTTP 502",
    how: page(502),
    says: /HTTP 502.*a proxy or gateway answered in place of WeCom/,
    ...everywhere(OUTAGE),
  },
  {
    name: "a gateway's page, HTTP 504",
    how: page(504),
    says: /HTTP 504.*a proxy or gateway answered in place of WeCom/,
    ...everywhere(OUTAGE),
  },
  {
    name: 'a page in place of the service, HTTP 200 (a portal that wants a login)',
    how: page(200),
    says: /HTTP 200.*a proxy or gateway answered in place of WeCom/,
    ...everywhere(OUTAGE),
  },
  {
    name: 'too large for a gateway, HTTP 413',
    how: page(413),
    says: /HTTP 413.*in nginx set client_max_body_size/,
    ...everywhere(OUTAGE),
    upload: FILE,
  },
  {
    name: 'the proxy wants a password, HTTP 407',
    how: page(407),
    says: /HTTP 407.*write it into `wecom.proxy`/,
    ...everywhere(OUTAGE),
  },
  {
    name: 'no such path, HTTP 404',
    how: answer(404, {}),
    says: /HTTP 404.*the path is not known there; check `wecom.baseUrl`/,
    ...everywhere(OUTAGE),
  },
  {
    name: 'a redirect, HTTP 301',
    how: answer(301, { Location: 'https://elsewhere.example/' }),
    says: /HTTP 301.*redirects are not followed.*write the final https address/,
    ...everywhere(OUTAGE),
  },
  {
    name: 'an empty answer, HTTP 200',
    how: answer(200, {}),
    says: /an empty body.*a proxy or gateway answered/,
    ...everywhere(OUTAGE),
  },
  {
    name: 'half of the JSON',
    how: answer(200, { 'Content-Type': 'application/json' }, '{"errcode":40007,"err'),
    says: /not JSON|a refusal that makes no sense.*a proxy or gateway answered/,
    ...everywhere(OUTAGE),
  },
  {
    name: 'JSON of the wrong types',
    how: answer(
      200,
      { 'Content-Type': 'application/json' },
      '{"errcode":{},"access_token":5,"expires_in":[],"media_id":7}',
    ),
    says: /JSON without what was asked for|a refusal that makes no sense/,
    ...everywhere(OUTAGE),
  },
  {
    name: 'an answer without end',
    how: answer(500, { 'Content-Type': 'application/json' }, `{"errmsg":"${'x'.repeat(200_000)}"}`),
    says: /longer than any answer of WeCom|not a medium/,
    ...everywhere(OUTAGE),
  },
  refusedBy(-1, 'busy', /the service is busy/, OUTAGE),
  refusedBy(40001, 'bad secret', /copy the Secret again.*WeCom saw 203\.0\.113\.7/, ADMIN),
  refusedBy(40013, 'bad corp ID', /copy the corp ID/, ADMIN),
  {
    ...refusedBy(40014, 'token not valid', /WeCom refuses a token that it has just issued/, TOKEN),
    ...STRANGE_FOR_TOKEN,
  },
  {
    ...refusedBy(42001, 'token expired', /WeCom refuses a token that it has just issued/, TOKEN),
    ...STRANGE_FOR_TOKEN,
  },
  refusedBy(45009, 'too many calls', /lower `wecom.quota.share`/, SLOWER),
  refusedBy(45033, 'too many at once', /lower `transfer.uploads`/, SLOWER),
  refusedBy(48002, 'no permission', /give the app the permission it lacks/, ADMIN),
  refusedBy(48006, 'app unused for long', /must enable the app again/, ADMIN),
  refusedBy(50003, 'app disabled', /enable the app/, ADMIN),
  refusedBy(60020, 'address not trusted', /企业可信IP.*WeCom saw 203\.0\.113\.7/, ADMIN),
  refusedBy(301002, "another app's token", /use the Secret of one app only/, ADMIN),
  fileRefusedBy(40004, 'format not taken', /this kind does not take this format/),
  fileRefusedBy(40006, 'bad size', /media must be larger than 5 bytes/),
  fileRefusedBy(40007, 'dead media_id', /whoever holds the file must upload it again/),
  fileRefusedBy(44001, 'empty media', /a gateway on the way changes the request/),
  fileRefusedBy(45001, 'too large', /lower `wecom.limits`/),
  {
    ...refusedBy(99999, 'unknown', /look the code up: .*e=99999/, OUTAGE),
    ...STRANGE_FOR_TOKEN,
  },
]

const PURPOSES = ['token', 'upload', 'download'] as const

it('every fault, at each call, has the remedy of the table, and is over when it ends', async () => {
  const bench = await createFaultyWecom()
  const seen: { fault: Fault; cells: Record<Purpose, Cell> }[] = []
  for (const fault of FAULTS) {
    const cells = {} as Record<Purpose, Cell>
    for (const purpose of PURPOSES) cells[purpose] = await suffer(bench, fault, purpose)
    seen.push({ fault, cells })
  }

  for (const { fault, cells } of seen) {
    for (const purpose of PURPOSES) {
      const { said, message, ...rest } = cells[purpose]
      expect.soft(rest, `${fault.name}, ${purpose}`).toEqual(fault[purpose])
      const says = (purpose === 'token' && fault.saysOfToken) || fault.says
      expect.soft(`${message} | ${said}`, `${fault.name}, ${purpose}`).toMatch(says)
    }
  }
  const page = renderMatrix(seen.map(({ fault: { name }, cells }) => ({ name, cells })))
  await expect(page).toMatchFileSnapshot('fault-matrix.md')
}, 120_000)

/** Lets a client meet the fault, once and then for as long as it goes on calling; answers what was seen. */
async function suffer(bench: FaultyWecom, fault: Fault, purpose: Purpose): Promise<Cell> {
  const once = await meetOnce(bench, fault, purpose)
  return { ...(await meetAlways(bench, fault, purpose)), once }
}

/** Of the client, at a line that stands still: a twentieth of a minute. */
const LOOK_MS = 3000

/** A client, the fault, and the time that operations take under it. */
async function meet(bench: FaultyWecom, { how, isSlow }: Fault, purpose: Purpose) {
  const { clock, lineClock, gate } = bench
  const { act, circuit, events, close } = await bench.createClient()
  const passOnLine = async () => {
    if (isSlow && gate.isStriking()) await lineClock.advance(LOOK_MS)
  }
  const perform = () => settle(act(purpose), clock, passOnLine)
  // With a token at hand, so that the call in question is the first; a token itself is asked for by the first call.
  if (purpose !== 'token') await perform()
  return {
    circuit,
    events,
    close,
    perform,
    callsSoFar: () => gate.calls[purpose],
    async strike(times = Number.POSITIVE_INFINITY) {
      if (how === 'nobody listens') await gate.shut()
      else gate.breakCalls(purpose, how, times)
    },
    async mend() {
      if (how === 'nobody listens') await gate.open()
      gate.mend()
    },
    waitForProbe: () => clock.advance((circuit.state().nextProbeAtMs ?? 0) - clock.nowMs()),
  }
}

async function meetOnce(bench: FaultyWecom, fault: Fault, purpose: Purpose): Promise<Cell['once']> {
  const client = await meet(bench, fault, purpose)
  await client.strike(1)
  const calls = client.callsSoFar()
  const performing = client.perform()
  // Nobody can refuse one connection only: whoever has met it once finds the door open.
  if (fault.how === 'nobody listens') {
    while (client.callsSoFar() === calls) await new Promise((resolve) => setImmediate(resolve))
    await client.mend()
  }
  const outcome = await performing
  await client.mend()
  await client.close()
  return 'value' in outcome ? 'goes through' : 'fails'
}

async function meetAlways(
  bench: FaultyWecom,
  fault: Fault,
  purpose: Purpose,
): Promise<Omit<Cell, 'once'>> {
  const client = await meet(bench, fault, purpose)
  const { circuit, perform, callsSoFar } = client
  const where = `${fault.name}, ${purpose}`
  await client.strike()
  const before = callsSoFar()
  const error = errorIn(await perform(), where)
  const calls = callsSoFar() - before

  let operations = 1
  for (; circuit.state().kind === 'closed' && operations < MOST_OPERATIONS; operations++)
    errorIn(await perform(), where)
  const isOpen = circuit.state().kind === 'open'
  if (isOpen) await expectProbesOnly(client, where)

  await client.mend()
  if (isOpen) await client.waitForProbe()
  // What ended is over: the next operation goes through, and so does everything after it.
  for (let turn = 0; turn < 2; turn++) expect(await perform(), where).toHaveProperty('value')
  expect(circuit.state(), where).toEqual({ kind: 'closed' })
  const told = client.events.map(({ kind }) => kind).filter((kind) => kind.startsWith('circuit'))
  // "Too many calls" is told again when it was not the minute's window, but the hour's.
  expect([...new Set(told)], where).toEqual(isOpen ? ['circuit-opened', 'circuit-closed'] : [])
  await client.close()
  const { remedy, message, hint } = error
  return { remedy, calls, stopsAfter: isOpen ? operations : 'never', message, said: hint ?? '' }
}

/** More than any circuit bears. */
const MOST_OPERATIONS = 6

/** While it is open nobody is called; when the wait is over, one operation makes one attempt. */
async function expectProbesOnly(client: Awaited<ReturnType<typeof meet>>, where: string) {
  const { perform, callsSoFar, circuit } = client
  const before = callsSoFar()
  const { message } = errorIn(await perform(), where)
  expect(message, where).toMatch(/^WeCom is not called at present, because of this: /)
  expect(callsSoFar() - before, where).toBe(0)
  await client.waitForProbe()
  errorIn(await perform(), where)
  // A token that is refused is replaced, and shown once more.
  expect(callsSoFar() - before, where).toBeLessThanOrEqual(2)
  expect(circuit.state().kind, where).toBe('open')
}

function errorIn(outcome: { value: unknown } | { error: unknown }, where: string) {
  if ('error' in outcome && isMirrorError(outcome.error)) return outcome.error
  throw new Error(`${where}: nobody foresaw this`, { cause: outcome })
}
