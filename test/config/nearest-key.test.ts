import { expect, it } from 'vitest'
import { findNearest } from '../../src/config/nearest-key.ts'

const KEYS = ['corpId', 'secret', 'baseUrl', 'proxy', 'limits', 'quota']

it.each([
  ['corpid', 'corpId'],
  ['corp_id', 'corpId'],
  ['CorpID', 'corpId'],
  ['secert', 'secret'],
  ['secrets', 'secret'],
  ['limit', 'limits'],
  ['base-url', 'baseUrl'],
  ['qouta', 'quota'],
])('takes %s for %s', (word, meant) => expect(findNearest(word, KEYS)).toBe(meant))

it.each(['', 'x', 'password', 'agentId', 'limits'.repeat(10)])('does not guess at %j', (word) =>
  expect(findNearest(word, KEYS)).toBeUndefined(),
)

it('has no guess when nothing is known', () => expect(findNearest('secret', [])).toBeUndefined())
