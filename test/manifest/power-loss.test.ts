// The power fails, at any operation of the disk; the long form is test/long/power-loss.test.ts.
import { expect, test } from 'vitest'
import { createFakeClock } from '../helpers/fake-clock.ts'
import { createTempFolder } from '../helpers/temp-folder.ts'
import { createChance } from '../simulation/chance.ts'
import { liveWithPowerCuts } from './power-loss.ts'
import { anEntry } from './rows.ts'
import { openState } from './state.ts'
import { createVolatileDisk, type VolatileDisk } from './volatile-disk.ts'

const DOCUMENT = 'manifest.json'

test.each([
  [1, true],
  [2, true],
  [3, false],
])(
  'whenever the power fails, what was acknowledged is there and nothing else is (seed %i, second names: %s)',
  async (seed, hasLinks) => {
    const { operations, cuts } = await liveWithPowerCuts({ seed, steps: 8, hasLinks, cutEvery: 1 })
    expect(operations).toBeGreaterThan(80)
    expect(cuts).toBeGreaterThan(60)
  },
)

test.each([true, false])(
  'a damaged document is not lost by a power failure while it is set aside (second names: %s)',
  async (hasLinks) => {
    const chance = createChance(7)
    const disk = createVolatileDisk()
    if (!hasLinks) disk.forbidLinks()
    const clock = createFakeClock()
    const first = await openState(await createTempFolder(), { files: disk.files, clock })
    for (const name of ['one', 'two']) {
      await first.manifest.commit([{ kind: 'put-entry', entry: anEntry(name) }])
      const written = first.next('document-written')
      await clock.advance(1000)
      await written
    }
    await first.manifest.close()
    disk.damage(DOCUMENT)
    const damaged = Buffer.from(disk.bytesOf(DOCUMENT) ?? '')
    const found: VolatileDisk[] = []
    disk.beforeEach(() => {
      for (const survival of [0, 0.5, 0.5, 1]) found.push(disk.afterPowerLoss(chance, survival))
    })
    const repaired = await openState(await createTempFolder(), { files: disk.files, clock })
    expect(repaired.tellings('state-recovered')).toHaveLength(1)
    await repaired.manifest.close()
    expect(found.length).toBeGreaterThan(40)
    for (const left of found) {
      expect(left.names().some((name) => left.bytesOf(name)?.equals(damaged))).toBe(true)
      const again = await openState(await createTempFolder(), { files: left.files })
      expect((await again.manifest.count()).entries).toBe(2)
      await again.manifest.close()
    }
  },
)

test('a state directory that was just made is there after a power failure, with what was acknowledged in it', async () => {
  const disk = createVolatileDisk()
  const { manifest } = await openState(await createTempFolder(), { files: disk.files })
  await manifest.commit([{ kind: 'put-entry', entry: anEntry('a') }])
  const left = disk.afterPowerLoss(() => 0, 0)
  const again = await openState(await createTempFolder(), { files: left.files })
  expect((await again.manifest.count()).entries).toBe(1)
})
