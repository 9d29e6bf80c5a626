// When what is missing may be acted on: few at once, many when it is calm, most of them at a person's word only.
import { describe, expect, it } from 'vitest'
import type { MediaPath } from '../../src/media/media.ts'
import { createMassLoss, type Verdict } from '../../src/plan/mass-loss.ts'
import { aPath } from '../helpers/builders.ts'
import { createFakeClock } from '../helpers/fake-clock.ts'

const MINUTE_MS = 60_000

/** A folder of so many files, of which some vanish, and a mirror that does at every tick as it is told. */
function setUp({ files, onDelete = 'forget' }: { files: number; onDelete?: 'forget' | 'restore' }) {
  const clock = createFakeClock()
  const massLoss = createMassLoss(clock)
  const there = new Set(Array.from({ length: files }, (_, i) => aPath(`${i}.jpg`)))
  const entries = new Set(there)
  const missing = new Set<MediaPath>()
  const acted: MediaPath[] = []
  const sight = () => ({ paths: missing, entryCount: entries.size })

  function act() {
    for (const path of missing) {
      acted.push(path)
      missing.delete(path)
      if (onDelete === 'forget') entries.delete(path)
      else there.add(path)
      massLoss.noteAct(path, onDelete === 'forget')
    }
  }
  return {
    clock,
    massLoss,
    acted,
    sight,
    vanish(count: number) {
      for (const path of [...there].slice(0, count)) {
        there.delete(path)
        missing.add(path)
        massLoss.noteVanished()
      }
    },
    comeBack(count: number) {
      for (const path of [...missing].slice(0, count)) {
        missing.delete(path)
        there.add(path)
      }
    },
    tick(isAsked = false): Verdict {
      const verdict = massLoss.judge(sight(), isAsked)
      if (verdict === 'act') act()
      return verdict
    },
  }
}

describe('what vanishes', () => {
  it('is acted on after half a second of calm for each file that is gone', async () => {
    const site = setUp({ files: 100 })
    site.vanish(5)
    expect(site.tick()).toBe('wait')
    await site.clock.advance(2_499)
    expect(site.tick()).toBe('wait')
    await site.clock.advance(1)
    expect(site.tick()).toBe('act')
    expect(site.acted).toHaveLength(5)
  })

  it('is acted on at once when a person waits for it', () => {
    const site = setUp({ files: 100 })
    site.vanish(30)
    expect(site.tick(true)).toBe('act')
  })

  it.each(['forget', 'restore'] as const)(
    'slowly, in an `rm -r` over minutes, is judged as a whole (%s)',
    async (onDelete) => {
      const site = setUp({ files: 300, onDelete })
      for (let second = 0; second < 540; second += 3) {
        site.vanish(1)
        await site.clock.advance(3_000)
        if (second % 30 === 0) site.tick()
      }
      // The first few, before there were many.
      expect(site.acted.length).toBeLessThan(20)
      await site.clock.advance(MINUTE_MS)
      expect(site.tick()).toBe('doubt')
    },
  )

  it('in portions, each of which was acted on, is added up', async () => {
    const site = setUp({ files: 40 })
    for (let portion = 0; portion < 2; portion++) {
      site.vanish(10)
      await site.clock.advance(MINUTE_MS)
      expect(site.tick()).toBe('act')
    }
    site.vanish(1)
    await site.clock.advance(MINUTE_MS)
    expect(site.tick()).toBe('doubt')
  })

  it('in portions over a longer time is no mass loss', async () => {
    const site = setUp({ files: 40 })
    for (let portion = 0; portion < 4; portion++) {
      site.vanish(9)
      await site.clock.advance(11 * MINUTE_MS)
      expect(site.tick()).toBe('act')
    }
  })

  it('all the time, a few in a minute, does not wait for ever', async () => {
    const site = setUp({ files: 1000 })
    const verdicts: Verdict[] = []
    for (let minute = 0; minute < 30; minute++) {
      site.vanish(6)
      await site.clock.advance(MINUTE_MS - 1)
      // One more just before each tick: it is never calm.
      site.vanish(1)
      verdicts.push(site.tick())
      await site.clock.advance(1)
    }
    expect(verdicts).not.toContain('doubt')
    expect(site.acted.length).toBeGreaterThan(130)
  })

  it('while the clock stood wrong does not wait until that time comes again', () => {
    const site = setUp({ files: 100 })
    site.vanish(1)
    site.clock.leap(-24 * 60 * MINUTE_MS)
    expect(site.tick()).toBe('act')
  })
})

describe('more than half, and at least 20', () => {
  it.each([
    [100, 51, 'doubt'],
    [100, 50, 'act'],
    [30, 20, 'doubt'],
    [30, 19, 'act'],
    [20, 20, 'doubt'],
    [1, 1, 'act'],
  ] as const)('of %i, %i gone: %s', async (files, gone, verdict) => {
    const site = setUp({ files })
    site.vanish(gone)
    await site.clock.advance(MINUTE_MS)
    expect(site.tick()).toBe(verdict)
  })

  it('stay in doubt when half of them come back, and not when all do', async () => {
    const site = setUp({ files: 100 })
    site.vanish(80)
    await site.clock.advance(MINUTE_MS)
    site.tick()
    site.comeBack(70)
    await site.clock.advance(60 * MINUTE_MS)
    expect(site.tick()).toBe('doubt')
    expect(site.massLoss.isDoubtful(site.sight())).toBe(true)
    site.comeBack(10)
    expect(site.tick()).toBe('act')
    expect(site.massLoss.isDoubtful(site.sight())).toBe(false)
    expect(site.acted).toEqual([])
  })

  it('are no reason for doubt once a person wants them back, nor is the next file that vanishes', async () => {
    const site = setUp({ files: 100, onDelete: 'restore' })
    site.vanish(80)
    expect(site.tick(true)).toBe('doubt')
    site.massLoss.takeWord([...site.sight().paths])
    expect(site.massLoss.wantedBack.size).toBe(80)
    expect(site.tick(true)).toBe('act')
    expect(site.acted).toHaveLength(80)
    site.vanish(1)
    await site.clock.advance(2_000)
    expect(site.tick()).toBe('act')
    expect(site.massLoss.wantedBack.size).toBe(0)
  })
})
