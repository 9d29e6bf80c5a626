// Uploads through `sync` against a local sink: 10,000 files of 10 KB and 200 of 5 MB, beside a script with fetch and FormData.
import { randomFillSync } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createBenchSite, measure, peer, program, ratio, report, startSink } from './measuring.ts'

async function fill(folder: string, count: number, sizeBytes: number): Promise<void> {
  const content = Buffer.alloc(sizeBytes)
  for (let number = 0; number < count; number++) {
    const directory = join(folder, `${number % 100}`)
    if (number < 100) await mkdir(directory, { recursive: true })
    // Different bytes in each file, or one upload would serve them all.
    randomFillSync(content, 0, Math.min(64, sizeBytes))
    await writeFile(join(directory, `${number}.bin`), content)
  }
}

export async function benchUpload(): Promise<void> {
  for (const [count, sizeBytes] of [
    [10_000, 10 * 1024],
    [200, 5 * 2 ** 20],
  ] as const) {
    const sink = await startSink()
    const site = await createBenchSite(sink.baseUrl)
    await fill(site.folder, count, sizeBytes)
    const ours = await measure(program('sync', '-c', site.configFile))
    const theirs = await measure(peer(site.folder, sink.baseUrl))
    report(`${count} files of ${sizeBytes / 1024} KB`, [
      ['sync', { ...ours }],
      ['script with fetch and FormData', { ...theirs }],
      [
        'ratio sync / script',
        {
          wall: ratio(ours.wallMs, theirs.wallMs),
          cpu: ratio(ours.cpuMs, theirs.cpuMs),
          rss: ratio(ours.peakRssMb, theirs.peakRssMb),
        },
      ],
    ])
    sink.stop()
    await site.remove()
  }
}
