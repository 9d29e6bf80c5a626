import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJson } from '../../src/manifest/json.ts'

test('a key with an escape is read as it is, also after keys that begin like its text', () => {
  const rows = (key: string) => `{"a": {"n": 1}, ${JSON.stringify(key)}: {"text": "\\"x\\": y"}}`
  const keys = ['\\', '"', '\n', 'a\\"', 'a"b', 'k\\', 'k"', '%5C', '\u0001', '\ud83c', '\\', '"']
  for (const section of ['media', 'problems'])
    for (const key of keys) {
      const expected = { a: { n: 1 }, [key]: { text: '"x": y' } }
      expect(parseJson(rows(key))).toEqual(expected)
      expect(parseJson(`{"${section}": ${rows(key)}}`)).toEqual({ [section]: expected })
    }
})

test('whatever the names are, they are read as they were written', () => {
  const character = fc.constantFrom('"', '\\', ':', ' ', 'a', '\n', '%', '春', '\ud83c')
  const name = fc.oneof(fc.constant('__proto__'), fc.string({ unit: character, maxLength: 5 }))
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.record({ message: name }))), (pairs) => {
      const rows = new Map(pairs)
      const lines = [...rows].map(([key, row]) => `${JSON.stringify(key)}: ${JSON.stringify(row)}`)
      const value = parseJson(`{${lines.join(', ')}}`)
      expect(new Map(Object.entries(value ?? {}))).toEqual(rows)
    }),
    { numRuns: 2000 },
  )
})

test('what is no JSON is damaged', () => {
  expect(() => parseJson('{"a": ')).toThrow('it is not JSON')
})
