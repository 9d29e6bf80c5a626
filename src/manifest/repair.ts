// Answers for mending what `load.ts` found, by whoever holds the lock: what is damaged gets a name of its own with the
// time in it and is never written to again; each finding is told to a person.
import type { Emit } from '../support/events.ts'
import { removeUnfinished } from './document-file.ts'
import { DOCUMENT, inDirectory, journalName, linkOrCopy, PREVIOUS, syncDirectory } from './files.ts'
import { type Finding, tellJournals } from './finding.ts'
import type { StateLocation } from './reading.ts'
import { asUnwritable } from './unwritable.ts'

type RepairDeps = StateLocation & { readonly emit: Emit; readonly nowMs: number }

/** Mends every finding in turn, and removes what nobody will finish; the state on disk then reads the same, without them. */
export async function repairState(deps: RepairDeps, findings: readonly Finding[]): Promise<void> {
  try {
    await removeUnfinished(deps)
    for (const finding of findings)
      deps.emit({ kind: 'state-recovered', ...(await repair(deps, finding)) })
    if (findings.length > 0) await syncDirectory(deps.files, deps.directory)
  } catch (error) {
    throw asUnwritable(error, `mend the manifest in \`${deps.directory}\``)
  }
}

async function repair(deps: RepairDeps, finding: Finding) {
  switch (finding.kind) {
    case 'document-damaged': {
      const aside = await setAside(deps, finding.name, '.json')
      // Its new name first, and durable: a power failure may keep the one and not the other.
      await syncDirectory(deps.files, deps.directory)
      await deps.files.unlink(inDirectory(deps.directory)(finding.name))
      return {
        message: `\`${finding.name}\` in \`${deps.directory}\` was damaged (${finding.because}); the state was rebuilt from the earlier generation and the journals`,
        hint: `the damaged one is kept as \`${aside}\`; check the disk. If it was changed on purpose, stop the daemon, remove its \`checksum\` line and put it back as \`${DOCUMENT}\``,
      }
    }
    case 'document-missing':
      return {
        message: `\`${DOCUMENT}\` in \`${deps.directory}\` was gone; the state was rebuilt from \`${PREVIOUS}\` and the journals`,
        hint: 'if it was removed to start anew, move every other `manifest.*` away as well',
      }
    case 'journal-torn':
      await truncate(deps, finding.number, finding.atByte)
      return {
        message: `the last ${finding.sizeBytes} bytes of \`${journalName(finding.number)}\` in \`${deps.directory}\` were cut short, as by a power failure, and were dropped`,
        hint: 'nothing to do: what they belonged to had not been acknowledged',
      }
    case 'journal-garbled': {
      const aside = await setAside(deps, journalName(finding.number), `.journal.${finding.number}`)
      return {
        message: `${finding.recordCount} damaged record(s) in \`${journalName(finding.number)}\` in \`${deps.directory}\` could not be read; every other record counts`,
        hint: `the damaged journal is kept as \`${aside}\`; check the disk. The next pass uploads anew what those records held`,
      }
    }
    case 'journals-missing':
      return {
        message: `${tellJournals(finding.numbers)} in \`${deps.directory}\` is gone, and with it what was recorded there only`,
        hint: 'nothing to do if a backup of the document was put back; otherwise find out who removed it',
      }
  }
}

/** At most so many damaged files of one moment; one more is a fault of the clock or of us. */
const MAX_ASIDE = 100

/** Gives the file a second name that no file has yet, and returns it. */
async function setAside(deps: RepairDeps, name: string, ending: string): Promise<string> {
  const at = inDirectory(deps.directory)
  const time = new Date(deps.nowMs).toISOString().replaceAll(':', '-')
  const taken = new Set(await deps.files.readdir(deps.directory))
  for (let attempt = 1; attempt <= MAX_ASIDE; attempt++) {
    const aside = `manifest.damaged-${time}${attempt === 1 ? '' : `-${attempt}`}${ending}`
    if (taken.has(aside)) continue
    await linkOrCopy(deps.files, at(name), at(aside))
    return aside
  }
  throw Object.assign(new Error('too many damaged files'), { code: 'EEXIST', syscall: 'link' })
}

async function truncate(deps: RepairDeps, number: number, atByte: number): Promise<void> {
  const file = await deps.files.open(inDirectory(deps.directory)(journalName(number)), 'r+')
  try {
    await file.truncate(atByte)
    await file.sync()
  } finally {
    await file.close()
  }
}
