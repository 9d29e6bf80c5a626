import { expect, test } from 'vitest'
import {
  ConfigError,
  FileUnreadable,
  ManifestUnreadable,
  ManifestUnwritable,
  MediaUnacceptable,
  type MirrorError,
  WecomUnreachable,
} from '../../src/errors.ts'
import { type Ailment, diagnose, probeDelayMs, probeWaitMs } from '../../src/wecom/ailment.ts'
import { refused, unreachable } from './errors.ts'

const MINUTE_MS = 60_000

test.each<[Ailment, string, MirrorError]>([
  ['failing', 'a line that is down', unreachable()],
  ['failing', 'the page of a gateway', new WecomUnreachable('a page', { status: 502 })],
  ['failing', '"too large" where nothing was sent', new WecomUnreachable('413', { status: 413 })],
  ['failing', 'a busy service', refused(-1)],
  ['failing', 'a token that is refused although it is new', refused(40014)],
  ['failing', 'an errcode nobody knows', refused(99_999)],
  ['slowed', 'too many calls', refused(45009)],
  ['slowed', 'too many calls at once', refused(45033)],
  ['stopped', 'a wrong secret', refused(40001)],
  ['stopped', 'a wrong corp ID', refused(40013)],
  ['stopped', "another corp's secret", refused(40091)],
  ['stopped', 'a lacking permission', refused(48002)],
  ['stopped', 'a permission that was withdrawn', refused(48006)],
  ['stopped', 'a disabled app', refused(50003)],
  ['stopped', 'an address that is not trusted', refused(60020)],
  ['stopped', 'a corp that was dissolved', refused(301007)],
])('%s: %s', (ailment, _what, error) => {
  expect(diagnose(error)).toEqual({ ailment, error })
})

test.each<[string, MirrorError]>([
  ['a file that is refused for its own sake', refused(40123)],
  ['a dead media_id', refused(40007)],
  ['a file too large for the proxy in between', new WecomUnreachable('413', { isTooLarge: true })],
])('the service is well: %s', (_what, error) => {
  expect(diagnose(error)).toBe('well')
})

test.each<[MirrorError]>([
  [new FileUnreadable('x')],
  [new MediaUnacceptable('x')],
  [new ConfigError('x')],
  [new ManifestUnreadable('x')],
  [new ManifestUnwritable('x')],
])('%s says nothing about the service', (error) => {
  expect(diagnose(error)).toBe('nothing')
})

test.each<[Ailment, number, [number, number]]>([
  ['stopped', 0, [MINUTE_MS, 3 * MINUTE_MS]],
  ['stopped', 1, [5 * MINUTE_MS, 15 * MINUTE_MS]],
  ['stopped', 99_999, [5 * MINUTE_MS, 15 * MINUTE_MS]],
  ['slowed', 0, [MINUTE_MS, 66_000]],
  ['slowed', 1, [60 * MINUTE_MS, 66 * MINUTE_MS]],
  ['slowed', 99_999, [60 * MINUTE_MS, 66 * MINUTE_MS]],
  ['failing', 0, [833, 5_000]],
  ['failing', 2, [3_333, 20_000]],
  ['failing', 4, [10_000, MINUTE_MS]],
  ['failing', 99_999, [10_000, MINUTE_MS]],
])('%s after %i probes in vain: anywhere within %j ms', (ailment, probes, [leastMs, mostMs]) => {
  expect(probeDelayMs(ailment, probes, 0)).toBe(leastMs)
  expect(probeDelayMs(ailment, probes, 0.5)).toBeCloseTo((leastMs + mostMs) / 2, -1)
  expect(probeDelayMs(ailment, probes, 0.999_999_9)).toBe(mostMs)
  expect(probeWaitMs(ailment, probes).mostMs).toBeCloseTo(mostMs, 6)
})
