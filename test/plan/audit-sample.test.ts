import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Candidate,
  createSample,
  hasRested,
  isNearlyDue,
} from '../../src/plan/audit-sample.ts'
import { aFingerprint, aMediaId, anEntry, aPath, HOUR_MS, NOW_MS } from '../helpers/builders.ts'

const aCandidate = (mediaId: string, provenAtMs: number): Candidate => ({
  mediaId: aMediaId(mediaId),
  path: aPath(`${mediaId}.jpg`),
  fingerprint: aFingerprint(mediaId),
  provenAtMs,
})

function choose(size: number, candidates: readonly Candidate[], random = Math.random) {
  const sample = createSample(size, random)
  for (const candidate of candidates) sample.offer(candidate)
  return sample.candidates()
}

it('keeps the ids that have shown no life for longest, oldest first, each once', () => {
  const offers = fc.array(fc.record({ id: fc.nat(30), at: fc.nat(20) }), { maxLength: 200 })
  fc.assert(
    fc.property(offers, fc.nat(15), (some, size) => {
      const chosen = choose(
        size,
        some.map(({ id, at }) => aCandidate(`${id}`, at)),
      )
      const oldest = new Map<string, number>()
      for (const { id, at } of some) oldest.set(`${id}`, Math.min(at, oldest.get(`${id}`) ?? at))
      const expected = [...oldest.values()].sort((a, b) => a - b).slice(0, size)
      expect(chosen.map(({ provenAtMs }) => provenAtMs)).toEqual(expected)
      expect(new Set(chosen.map(({ mediaId }) => mediaId)).size).toBe(chosen.length)
    }),
  )
})

it('leaves it to chance which of one moment are kept', () => {
  const candidates = Array.from({ length: 9 }, (_, n) => aCandidate(`${n}`, 5))
  const lots = [0.5, 0.9, 0.1, 0.8, 0.2, 0.7, 0.6, 0.3, 0.4]
  const chosen = choose(3, candidates, () => lots.shift() ?? 0)
  expect(chosen.map(({ mediaId }) => mediaId)).toEqual(['2', '4', '7'])
})

describe('what is checked', () => {
  const entry = anEntry({ ageHours: 30 })
  it.each([
    ['an id that showed life a twelfth of its life ago', entry, NOW_MS - 6 * HOUR_MS, true],
    ['an id that showed life more recently', entry, NOW_MS - 6 * HOUR_MS + 1, false],
    ['an id that nobody calls alive', anEntry({ ageHours: 73 }), 0, false],
    ['an id from the future', anEntry({ ageHours: -30 }), 0, false],
  ])('%s: rested', (_, about, lastMs, expected) => {
    expect(hasRested(about, lastMs, NOW_MS)).toBe(expected)
  })

  it.each([
    ['an id that is renewed in an hour', NOW_MS + HOUR_MS, false],
    ['an id that is renewed sooner', NOW_MS + HOUR_MS - 1, true],
    ['an id whose renewal is late', NOW_MS - HOUR_MS, true],
    ['an id that nothing renews', undefined, false],
  ])('%s: nearly due', (_, renewAtMs, expected) => {
    expect(isNearlyDue({ ...entry, renewAtMs }, NOW_MS)).toBe(expected)
  })
})
