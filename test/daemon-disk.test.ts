// The whole program, in process, on a disk that is nearly full: it downloads nothing, says so once, and goes on when there is room.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HOUR_MS } from './helpers/builders.ts'
import { startMachine } from './helpers/machine.ts'

test('downloads wait for room on the disk, as one thing that status tells, and come through by themselves', async () => {
  const disk = { totalBytes: 100 * 2 ** 30, freeBytes: 100 * 2 ** 20 }
  const machine = await startMachine({ measureDisk: async () => disk })
  const names = await readdir(machine.folder)
  await rm(join(machine.folder, '0.png'))
  await rm(join(machine.folder, '1.png'))
  await machine.restart()
  await machine.advance(HOUR_MS)

  const told = () => machine.told.map(({ kind }) => kind)
  expect((await machine.status()).troubles).toMatchObject([
    { of: 'room', message: expect.stringContaining('256 MB stay free') },
  ])
  expect(told().filter((kind) => kind === 'disk-short')).toHaveLength(1)
  const news = machine.told.filter((event) => event.kind === 'step-postponed' && event.isNews)
  expect(news).toEqual([])
  expect((await machine.status()).problems).toEqual([])
  expect(machine.wecom.controls.counts().get ?? 0).toBe(0)

  disk.freeBytes = 10 * 2 ** 30
  await machine.advance(HOUR_MS)
  expect((await machine.status()).troubles).toEqual([])
  expect(told().filter((kind) => kind === 'disk-roomy' || kind === 'restored')).toEqual(
    expect.arrayContaining(['disk-roomy', 'restored', 'restored']),
  )
  expect((await readdir(machine.folder)).sort()).toEqual(names.sort())
})
