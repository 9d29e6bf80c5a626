// What is said of ids that died and of audits: once, with the path, the reason and what to do.
import { describe, expect, it } from 'vitest'
import type { Reference } from '../../src/media/media.ts'
import { describeEvent } from '../../src/support/event-text.ts'
import { aMediaId, aPath, aReference, HOUR_MS, NOW_MS } from '../helpers/builders.ts'

const died = {
  kind: 'id-died',
  mediaId: aMediaId('3a'),
  path: aPath('a.jpg'),
  pathCount: 1,
  expectedUntilMs: NOW_MS + 30 * HOUR_MS,
  isRenewed: true,
} as const

const audited = {
  kind: 'audited',
  checked: 100,
  alive: 100,
  dead: 0,
  unclear: 0,
  tookMs: 21_000,
  endedBecause: undefined,
  hint: undefined,
} as const

it('warns of an id that died, with its path, its expected end and what becomes of it', () => {
  expect(describeEvent(died, NOW_MS)).toEqual({
    level: 'warn',
    message:
      'the media_id of a.jpg died before its time: WeCom does not know 3a, which was to live until 2026-11-23T14:00:00.000Z; it is not handed out any more',
    hint: expect.stringContaining('uploaded again at once'),
  })
})

it('says how many paths shared it, and when nothing renews it', () => {
  const { message, hint } = describeEvent({ ...died, pathCount: 3, isRenewed: false }, NOW_MS)
  expect(message).toContain('a.jpg (and of 2 more that share it) died')
  expect(hint).toContain('`references.renew` is off')
})

describe('an audit', () => {
  it.each([
    ['all is well', {}, 'info', 'audit: 100 ids checked, 100 alive, 0 dead (21 s)'],
    [
      'one is dead and one unclear',
      { alive: 98, dead: 1, unclear: 1 },
      'warn',
      'audit: 100 ids checked, 98 alive, 1 dead, 1 unclear (21 s)',
    ],
    [
      'it ended early',
      { checked: 3, alive: 3, endedBecause: 'no answer' },
      'warn',
      'audit: 3 ids checked, 3 alive, 0 dead (21 s); ended early: no answer',
    ],
  ])('%s', (_, about, level, message) => {
    expect(describeEvent({ ...audited, ...about }, NOW_MS)).toMatchObject({ level, message })
  })
})

it('says where a medium is to land that was accepted', () => {
  const said = (about: Partial<Reference>) =>
    describeEvent({ kind: 'reference-accepted', reference: aReference(about) }, NOW_MS).message
  expect(said({})).toContain('to land in the inbox')
  expect(said({ into: aPath('sub') })).toContain('to land in sub')
  expect(said({ into: '.' })).toContain('to land in the folder')
  expect(said({ path: aPath('a.jpg') })).toContain('to land at a.jpg')
})
