import { describe, expect, it } from 'vitest'
import { createJsonSchema, knownKeysAt, listKeyPaths } from '../../src/config/json-schema.ts'
import { findMisfits } from './misfits.ts'

const schemaFile = new URL('../../config/schema.json', import.meta.url).pathname

it('config/schema.json is up to date; `npm run schema` writes it', async () => {
  await expect(`${JSON.stringify(createJsonSchema(), null, 2)}\n`).toMatchFileSnapshot(schemaFile)
})

describe('the JSON Schema', () => {
  const fits = (value: object) =>
    findMisfits(createJsonSchema(), {
      wecom: { corpId: 'ww1', secret: 's' },
      folder: { path: '/m' },
      ...value,
    })

  it.each([
    {},
    { renewal: { lifetime: '1h 30m', schedule: '*/2 * * * * *' } },
    { http: false },
    { transfer: { bandwidth: '5MB' } },
    { wecom: { corpId: 'ww1', secret: { env: 'X' }, quota: { share: 0.5 } } },
    { folder: { path: '/m', rules: [{ match: 'a', type: 'voice' }] } },
  ])('takes %j', (value) => expect(fits(value)).toEqual([]))

  it.each([
    { renewal: { lifetime: 3 } },
    { renewal: { lifetime: '3 days' } },
    { http: true },
    { floder: {} },
    { transfer: { uploads: 0 } },
    { log: { level: 'loud' } },
    { folder: { path: '/m', rules: [{ match: 'a', type: 'audio' }] } },
  ])('refuses %j', (value) => expect(fits(value)).not.toEqual([]))

  it('requires the sections that have required keys', () => {
    expect(findMisfits(createJsonSchema(), {})).toEqual(['$: lacks wecom', '$: lacks folder'])
  })

  it('shows editors the defaults and a description of every section', () => {
    const { properties = {} } = createJsonSchema()
    expect(properties.folder?.properties?.settle).toMatchObject({ default: '1s', type: 'string' })
    const undescribed = Object.entries(properties).filter(([, { description }]) => !description)
    expect(undescribed).toEqual([])
  })
})

it('knows which keys stand where', () => {
  expect(knownKeysAt(['wecom', 'quota'])).toEqual(['perMinute', 'perHour', 'share'])
  expect(knownKeysAt(['wecom', 'secret'])).toEqual(['file', 'env', 'credential'])
  expect(knownKeysAt(['folder', 'rules', 3])).toEqual(['match', 'type'])
  expect(knownKeysAt(['folder', 'settle'])).toEqual([])
  expect(knownKeysAt(['nowhere', 'at', 'all'])).toEqual([])
  expect(listKeyPaths()).toContainEqual(['wecom', 'limits', 'voice', 'maxDuration'])
})
