// Answers for one daemon per state directory, by a lock that dies with its process: SQLite's own file lock, so that no
// native addon is needed and no lock file can be stale. It is a POSIX lock: it falls when anything else in this process
// opens and closes the same file, so nothing else may, and it does not reach across hosts on every network file system.
// Who holds it stands in a file beside it, written after the lock is taken, and is only ever told, never believed.
import { readFileSync } from 'node:fs'
import { chmod, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { ConfigError, isSystemError } from '../errors.ts'

export interface Lock {
  release(): Promise<void>
}

const LOCK = 'lock'
const HOLDER = 'lock.json'

const Holder = z.object({
  pid: z.int(),
  command: z.string(),
  since: z.string(),
  host: z.string(),
})

/** Takes the directory for this process, or throws a `ConfigError` that names who has it. */
export async function takeLock(deps: {
  readonly directory: string
  /** What this process is, such as `run`. */
  readonly command: string
  readonly nowMs: number
}): Promise<Lock> {
  const { directory, command, nowMs } = deps
  const database = openExclusively(directory)
  const holderFile = join(directory, HOLDER)
  const release = async () => {
    await rm(holderFile, { force: true })
    database.close()
  }
  try {
    await chmod(join(directory, LOCK), 0o600)
  } catch (error) {
    database.close()
    throw unusable(directory, error)
  }
  await tellHolder(holderFile, { command, nowMs })
  return { release }
}

/** For the message to others only: a full disk must not keep a daemon from running. */
async function tellHolder(file: string, { command, nowMs }: { command: string; nowMs: number }) {
  try {
    const since = new Date(nowMs).toISOString()
    const holder: z.infer<typeof Holder> = { pid: process.pid, command, since, host: hostname() }
    await writeFile(file, `${JSON.stringify(holder)}\n`, { mode: 0o600 })
  } catch (error) {
    if (!isSystemError(error)) throw error
    // Not half of it, and not that of a process before.
    await rm(file, { force: true }).catch(() => undefined)
  }
}

/** The transaction is never ended: that is the lock. */
function openExclusively(directory: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    const { DatabaseSync } = loadSqlite()
    database = new DatabaseSync(join(directory, LOCK), { timeout: 0 })
    database.exec('PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database?.close()
    throw sqliteCodeOf(error) === SQLITE_BUSY ? inUse(directory) : unusable(directory, error)
  }
}

const SQLITE_BUSY = 5
const SQLITE_CANTOPEN = 14
const SQLITE_NOTADB = 26

const sqliteCodeOf = (error: unknown): unknown =>
  error instanceof Error && 'errcode' in error ? error.errcode : undefined

function inUse(directory: string): ConfigError {
  const holder = readHolder(directory)
  const who =
    holder === undefined
      ? 'another process'
      : `process ${holder.pid} (\`${holder.command}\`)${holder.host === hostname() ? '' : ` on \`${holder.host}\``}, since ${holder.since}`
  return new ConfigError(
    `cannot use state directory \`${directory}\`: it is in use by ${who}`,
    [],
    {
      hint: 'let it speak to that process, stop it first, or give each daemon a `state` directory of its own',
    },
  )
}

function readHolder(directory: string): z.infer<typeof Holder> | undefined {
  try {
    return Holder.parse(JSON.parse(readFileSync(join(directory, HOLDER), 'utf8')))
  } catch {
    return undefined // it is only for the message, and its holder may be writing it at this moment
  }
}

function unusable(directory: string, error: unknown): ConfigError {
  const reason = error instanceof Error ? error.message : String(error)
  const hints = new Map<unknown, string>([
    [SQLITE_CANTOPEN, 'make it a directory that the user of the daemon may write to'],
    [SQLITE_NOTADB, `the file \`${LOCK}\` in it is not ours: move it away`],
  ])
  return new ConfigError(
    `cannot use state directory \`${directory}\`: its lock cannot be taken: ${reason}`,
    [],
    {
      hint: hints.get(sqliteCodeOf(error)) ?? 'check its owner, its mode and the disk',
      cause: error,
    },
  )
}

/**
 * Loaded when first needed. Node 22 announces, once, that SQLite is experimental; nothing of it is used here but its
 * lock, so that one announcement is kept quiet: only while the module is loaded, which happens at once.
 */
function loadSqlite(): typeof import('node:sqlite') {
  const { emitWarning } = process
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith('SQLite is an experimental feature'))
      Reflect.apply(emitWarning, process, [warning, ...rest])
  }
  try {
    return process.getBuiltinModule('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}
