import { isObject } from '../../src/config/finding.ts'
import type { JsonSchema } from '../../src/config/json-schema.ts'

/** Where a value does not fit a JSON Schema: of the standard, just the words that our schema uses. */
export function findMisfits(schema: JsonSchema, value: unknown, at = '$'): string[] {
  if (schema.anyOf) {
    const misfits = schema.anyOf.map((option) => findMisfits(option, value, at))
    return misfits.some((list) => list.length === 0) ? [] : misfits.flat()
  }
  const { type, enum: words, pattern } = schema
  if ('const' in schema && value !== schema.const) return [`${at}: not ${schema.const}`]
  if (typeof type === 'string' && !isOfType[type]?.(value)) return [`${at}: no ${type}`]
  if (Array.isArray(words) && !words.includes(value)) return [`${at}: not one of ${words}`]
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(String(value))) {
    return [`${at}: does not fit ${pattern}`]
  }
  if (typeof value === 'number') return findNumberMisfits(schema, value, at)
  if (Array.isArray(value)) {
    return value.flatMap((one, index) => findMisfits(schema.items ?? {}, one, `${at}[${index}]`))
  }
  return isObject(value) ? findObjectMisfits(schema, value, at) : []
}

const isOfType: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  array: Array.isArray,
  object: (value) => isObject(value) && !Array.isArray(value),
}

function findNumberMisfits(schema: JsonSchema, value: number, at: string): string[] {
  const isLow = typeof schema.minimum === 'number' && value < schema.minimum
  const isHigh = typeof schema.maximum === 'number' && value > schema.maximum
  return isLow || isHigh ? [`${at}: out of range`] : []
}

function findObjectMisfits(schema: JsonSchema, value: object, at: string): string[] {
  const { properties = {}, required = [] } = schema
  const missing = (Array.isArray(required) ? required : []).filter((key) => !(key in value))
  return [
    ...missing.map((key) => `${at}: lacks ${key}`),
    ...Object.entries(value).flatMap(([key, one]) => {
      const next = properties[key]
      return next ? findMisfits(next, one, `${at}.${key}`) : [`${at}: unknown ${key}`]
    }),
  ]
}
