// Looks at a running program as its users do: reads the document, asks the local interface, and holds every id that looks alive
// against what the service knows at that very moment. Judges nothing itself; the tests read what it found.
import { setTimeout as sleep } from 'node:timers/promises'
import { connectDesk } from '../../src/cli/remote-desk.ts'
import type { Daemon, Site } from './program.ts'

/** Where an id was found. */
type Place = 'document' | 'list' | 'look-up'

interface FoundId {
  readonly path: string
  readonly mediaId: string
  readonly expiresAtMs: number
}

/** What no sample may show: an id that is dead, or none. */
interface Fault {
  readonly what: 'dead id' | 'no live id'
  readonly path: string
  readonly where: Place
  readonly firstMs: number
  lastMs: number
  samples: number
}

interface Findings {
  samples: number
  /** How many ids were found to look alive, in all samples. */
  ids: number
  readonly faults: Map<string, Fault>
  /** The least life that any id had left when it was seen. */
  leastLeftMs: number
  /** Every id that a path was seen with. */
  readonly idsByPath: Map<string, Set<string>>
}

export interface IdSampler {
  /** The path is about to lose its name or its file: from now on it owes nobody an id. */
  release(path: string): void
  /** Ends the sampling and sums up. */
  stop(): Promise<Findings>
}

/** What says that a path has an id from now on. */
const GAINS = ['uploaded', 'shared', 'renamed']

/** Samples `everyMs` from now on; the service's own word of what lives comes from `alive`. */
export async function startIdSampler(deps: {
  site: Site
  daemon: Daemon
  alive: () => Iterable<string>
  everyMs: number
}): Promise<IdSampler> {
  const desk = await connect(deps.site)
  const judgement = createJudgement(deps.alive)
  const { findings, judge } = judgement
  /** The document follows the log within a second, so it is held to what it has shown itself. */
  const inDocument = new Set<string>()
  const inLog = createLogReader(deps.daemon)
  let isOver = false

  async function readDocument() {
    const wanted = [...inDocument]
    const found = liveIn(await deps.site.document())
    judge('document', found, wanted)
    for (const { path } of found) inDocument.add(path)
  }

  async function askForAll() {
    const wanted = [...inLog()]
    const live = (await desk.list()).filter((one) => one.alive)
    judge('list', live.map(asFound), wanted)
  }

  /** One path a sample, each in its turn. */
  async function lookOneUp() {
    const paths = [...inLog()].filter((path) => !judgement.isReleased(path))
    const path = paths[findings.samples % Math.max(1, paths.length)]
    if (path === undefined) return
    const answer = await desk.lookUp(path)
    judge('look-up', answer.kind === 'live' ? [asFound(answer.media)] : [], [path])
  }

  async function sampleOn() {
    while (!isOver) {
      await readDocument()
      await askForAll()
      await lookOneUp()
      findings.samples++
      await sleep(deps.everyMs)
    }
  }
  const sampling = sampleOn()
  // Whoever stops it hears of its end; until then nobody waits for it.
  sampling.catch(() => {})

  return {
    release: judgement.release,
    async stop() {
      isOver = true
      await sampling
      return findings
    },
  }
}

function createJudgement(alive: () => Iterable<string>) {
  const released = new Set<string>()
  const findings: Findings = {
    samples: 0,
    ids: 0,
    faults: new Map(),
    leastLeftMs: Number.POSITIVE_INFINITY,
    idsByPath: new Map(),
  }
  function blame(what: Fault['what'], path: string, where: Place, nowMs: number) {
    const name = `${what} of ${path} in the ${where}`
    const known = findings.faults.get(name)
    if (!known)
      findings.faults.set(name, { what, path, where, firstMs: nowMs, lastMs: nowMs, samples: 1 })
    else Object.assign(known, { lastMs: nowMs, samples: known.samples + 1 })
  }

  return {
    findings,
    release: (path: string) => void released.add(path),
    isReleased: (path: string) => released.has(path),
    /** To be called at once with what was heard: it is one moment for the answer, the clock and the service. */
    judge(where: Place, found: readonly FoundId[], wanted: readonly string[]) {
      const [known, nowMs] = [new Set(alive()), Date.now()]
      for (const { path, mediaId, expiresAtMs } of found) {
        const leftMs = expiresAtMs - nowMs
        findings.ids++
        findings.leastLeftMs = Math.min(findings.leastLeftMs, leftMs)
        findings.idsByPath.set(path, (findings.idsByPath.get(path) ?? new Set()).add(mediaId))
        if (!known.has(mediaId)) blame('dead id', path, where, nowMs)
      }
      const paths = new Set(found.map(({ path }) => path))
      for (const path of wanted)
        if (!paths.has(path) && !released.has(path)) blame('no live id', path, where, nowMs)
    },
  }
}

/** As any other program reads the document: what has a future is taken for live. */
function liveIn({ media }: Awaited<ReturnType<Site['document']>>): FoundId[] {
  const nowMs = Date.now()
  return Object.entries(media)
    .map(([path, { media_id, expires_at }]) =>
      asFound({ path, media_id: String(media_id), safe_until: String(expires_at) }),
    )
    .filter(({ expiresAtMs }) => expiresAtMs > nowMs)
}

const asFound = (one: { path: string; media_id: string; safe_until: string }): FoundId => ({
  path: one.path,
  mediaId: one.media_id,
  expiresAtMs: Date.parse(one.safe_until),
})

/** All paths that the daemon has told to have an id, so far. */
function createLogReader({ lines }: Daemon): () => ReadonlySet<string> {
  const paths = new Set<string>()
  let readCount = 0
  return () => {
    for (const { event, entry } of lines.slice(readCount)) {
      const { path } = (entry ?? {}) as { path?: string }
      if (path !== undefined && GAINS.includes(event)) paths.add(path)
    }
    readCount = lines.length
    return paths
  }
}

async function connect({ state }: Site) {
  const desk = await connectDesk(state)
  if (!desk) throw new Error('no daemon listens')
  return desk
}
