// Answers for the questions of the port, out of the contents in memory. Not for how they came there, nor for altering them.
import { setImmediate } from 'node:timers/promises'
import type { Contents } from './contents.ts'
import type { ManifestReader } from './manifest.ts'
import type { RowSnapshot } from './shelf.ts'

/** Answers from whatever `contents` returns at the moment of the question. */
export function createContentsReader(contents: () => Contents): ManifestReader {
  return {
    markedFolder: async () => contents().folder(),
    findEntry: async (path) => contents().media.find(path),
    findProblem: async (path) => contents().problems.find(path),
    async findRows(paths) {
      const { media, problems } = contents()
      return paths.map((path) => ({ entry: media.find(path), problem: problems.find(path) }))
    },
    findReference: async (mediaId) => contents().references.find(mediaId),
    async findByFingerprint(fingerprint) {
      const { media, pathsWith } = contents()
      return pathsWith(fingerprint).flatMap((path) => media.find(path) ?? [])
    },
    findDue: async (range, limit) => contents().renewals.find(range, limit),
    findDying: async (range, limit) => contents().deaths.find(range, limit),
    nextDueAtMs: async () => contents().renewals.find({ untilMs: Infinity }, 1)[0]?.renewAtMs,
    workload: async () => contents().deaths.slices(),
    entries: () => walk(() => contents().media.snapshot()),
    problems: () => walk(() => contents().problems.snapshot()),
    references: () => walk(() => contents().references.snapshot()),
    findDelivery: async (id) => contents().deliveries.find(id),
    deliveries: () => walk(() => contents().deliveries.snapshot()),
    async count() {
      const { media, problems, references } = contents()
      return {
        entries: media.count(),
        problems: problems.count(),
        references: references.count(),
      }
    },
  }
}

/** As things stood when the walk began; other work goes on after each part. */
async function* walk<T>(take: () => RowSnapshot<T>): AsyncGenerator<T> {
  for (const part of take()) {
    for (const row of part) yield row.value
    await setImmediate()
  }
}
