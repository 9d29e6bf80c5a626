// State directories for the manifest's tests: opened and closed without fail, watched by event, looked at as files.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { diskFiles, type Files } from '../../src/manifest/files.ts'
import { openLowdbManifest } from '../../src/manifest/lowdb-manifest.ts'
import type { Manifest } from '../../src/manifest/manifest.ts'
import type { Clock } from '../../src/support/clock.ts'
import { createEvents, type MirrorEvent } from '../../src/support/events.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { CORP_ID } from './rows.ts'

export interface OpenedState {
  readonly manifest: Manifest
  readonly told: MirrorEvent[]
  /** Resolves with the next event of this kind. */
  next<K extends MirrorEvent['kind']>(kind: K): Promise<Extract<MirrorEvent, { kind: K }>>
  tellings<K extends MirrorEvent['kind']>(kind: K): Extract<MirrorEvent, { kind: K }>[]
}

/** Opens a state directory; it is closed when the test is over, if it was not before. */
export async function openState(
  directory: string,
  with_: { clock?: Clock; files?: Files; corpId?: string } = {},
): Promise<OpenedState> {
  const { clock = createFakeClock(), files = diskFiles, corpId = CORP_ID } = with_
  const events = createEvents()
  const told: MirrorEvent[] = []
  events.subscribe((event) => void told.push(event))
  const { emit } = events
  const options = { directory, corpId, clock, emit, lock: 'exclusive', command: 'test' } as const
  const manifest = await openLowdbManifest({ ...options, files })
  onTestFinished(() => manifest.close())
  const isKind =
    <K extends MirrorEvent['kind']>(kind: K) =>
    (event: MirrorEvent): event is Extract<MirrorEvent, { kind: K }> =>
      event.kind === kind
  return {
    manifest,
    told,
    next: (kind) =>
      new Promise((resolve) => {
        const is = isKind(kind)
        const stop = events.subscribe((event) => {
          if (!is(event)) return
          stop()
          resolve(event)
        })
      }),
    tellings: (kind) => told.filter(isKind(kind)),
  }
}

/** Every file of a directory with its bytes. */
async function readAll(directory: string): Promise<Map<string, Buffer>> {
  const names = (await readdir(directory)).sort()
  const contents = names.map(async (name) => [name, await readFile(join(directory, name))] as const)
  return new Map(await Promise.all(contents))
}

/** The files of the manifest itself: what a crash leaves behind, and a test may put elsewhere. */
export const manifestFiles = async (directory: string): Promise<Map<string, Buffer>> =>
  new Map([...(await readAll(directory))].filter(([name]) => name.startsWith('manifest.')))
