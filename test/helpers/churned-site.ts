// The real program against a tree that is churned: for so long, then until folder and manifest agree, or say where they do not.
import { chown, mkdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { readManifest } from '../../src/manifest/read-manifest.ts'
import { systemClock } from '../../src/support/clock.ts'
import { createChance } from '../simulation/chance.ts'
import { createChurn, readTruth, STANDING } from './churn.ts'
import { createSite, type Site } from './program.ts'
import { aPng } from './samples.ts'
import { withSimulator } from './with-simulator.ts'

const WITHOUT_FILE = 'an entry without a file'
const RESCAN_MS = 1_000
/** So many rescans may pass before all is as it should be; a loaded machine's are slow. */
const MAX_RESCANS = 40

type Wecom = Awaited<ReturnType<typeof withSimulator>>

interface Churning {
  readonly seed: number
  /** Untouched files, so many that whatever is deleted is not most of the folder. */
  readonly standing: number
  readonly forMs: number
  /** Waits for the calm in which the daemon itself gives up what was deleted; else a `sync` asks for that. */
  readonly isPatient: boolean
}

/** Resolves with how much was done. Rejects with every difference that remains. */
export async function churnSite({ seed, standing, forMs, isPatient }: Churning) {
  const wecom = await withSimulator({ clock: systemClock })
  const site = await createSite(wecom.baseUrl, {
    folder: { onDelete: 'forget', settle: '50ms', rescan: `${RESCAN_MS}ms` },
    log: { level: 'info' },
  })
  for (let number = 0; number < standing; number++)
    await site.write(`${STANDING}/${number}.png`, aPng(100 + (number % 20)))
  await beSomebodyElse(site)
  const daemon = await site.startDaemon()
  await untilTrue(site, wecom)
  const outside = `${site.folder}-outside`
  await mkdir(outside)
  const random = createChance(seed)
  const churn = createChurn({ root: site.folder, outside, random })
  const endsAtMs = performance.now() + forMs
  let operations = 0
  while (performance.now() < endsAtMs) {
    // Now a few at a stretch, in which the program sees none of what was between, now a pause.
    for (let stretch = random() * 12; stretch > 0; stretch--, operations++) churn.step()
    await sleep(random() * 25)
  }
  churn.finish()
  const rescans = await untilTrue(site, wecom, isPatient ? () => false : isDeleted)
  if (!isPatient) await site.run('sync')
  if (!isPatient) await untilTrue(site, wecom)
  const { code, stderr } = await daemon.stop()
  if (code !== 0) throw new Error(`the daemon ended with ${code}: ${stderr}`)
  const { upload = 0 } = wecom.controls.counts()
  return { operations, rescans, upload, media: (await untrue(site, wecom)).media }
}

/** To root nothing is closed; the tree stays root's, and the program is another's. */
async function beSomebodyElse(site: Site) {
  if (process.getuid?.() !== 0) return
  await site.runAs(65_534)
  await chown(site.folder, 65_534, 65_534)
}

const isDeleted = (difference: string) => difference.endsWith(WITHOUT_FILE)

async function untilTrue(
  site: Site,
  wecom: Wecom,
  isBorne: (difference: string) => boolean = () => false,
): Promise<number> {
  const startedAtMs = performance.now()
  for (;;) {
    const { differences: all } = await untrue(site, wecom)
    const differences = all.filter((difference) => !isBorne(difference))
    const rescans = Math.ceil((performance.now() - startedAtMs) / RESCAN_MS)
    if (differences.length === 0) return rescans
    if (rescans > MAX_RESCANS)
      throw new Error(
        `folder and manifest differ:\n${differences.slice(0, 40).join('\n')}\n${(await site.run('status')).stdout}`,
      )
    await sleep(200)
  }
}

/** Every point in which manifest, folder and WeCom do not agree. */
async function untrue(site: Site, wecom: Wecom) {
  const truth = readTruth(site.folder)
  const manifest = await readManifest({ directory: site.state, corpId: 'ww-test' })
  const alive = new Map(
    wecom.controls.media().map((medium) => [`${medium.mediaId}`, medium.sha256]),
  )
  const differences: string[] = []
  const differ = (path: string, what: string) =>
    differences.push(`${JSON.stringify(path)}: ${what}`)
  const seen = new Set<string>()
  for await (const { path, mediaId, fingerprint } of manifest.entries()) {
    seen.add(path)
    const wanted = truth.files.get(path)
    if (wanted === undefined && !truth.problems.has(path)) differ(path, WITHOUT_FILE)
    if (wanted !== undefined && wanted !== fingerprint) differ(path, 'an entry of other bytes')
    if (wanted !== undefined && alive.get(mediaId) !== wanted)
      differ(path, 'an id of other bytes, or of none')
  }
  for (const path of truth.files.keys())
    if (!seen.has(path)) differ(path, 'a file without an entry')
  const told = new Map<string, string>()
  for await (const { path, code } of manifest.problems()) told.set(path, code)
  for (const [path, code] of truth.problems)
    if (told.get(path) !== code) differ(path, `${told.get(path)} is told, and it is ${code}`)
  for (const [path, code] of told)
    if (!truth.problems.has(path)) differ(path, `${code} is told of a file that has nothing`)
  return { differences, media: truth.files.size }
}
