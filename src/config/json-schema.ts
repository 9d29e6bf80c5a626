// Answers for the JSON Schema of the file: what editors complete from (config/schema.json) and which keys exist where.
import { z } from 'zod'
import { configFileSchema } from './schema.ts'

/** The parts of JSON Schema that ours uses. */
export interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly [keyword: string]: unknown
}

/** Of the file as it is written: texts before they are parsed, defaults not yet filled in. */
export function createJsonSchema(): JsonSchema {
  const { $schema, ...form } = z.toJSONSchema(configFileSchema, { io: 'input' }) as JsonSchema
  return {
    $schema,
    title: 'wecom-media-mirror',
    description: 'The configuration of wecom-media-mirror (企业微信临时素材镜像).',
    ...form,
    // zod lets every section be left out, so that its keys can say which of them are missing; editors need not.
    required: Object.entries(form.properties ?? {})
      .filter(([, section]) => section.default !== undefined && section.required !== undefined)
      .map(([key]) => key),
  }
}

const fileSchema = createJsonSchema()

const optionsOf = (schema: JsonSchema): readonly JsonSchema[] => schema.anyOf ?? [schema]

/** The keys that a mapping at this path may have. */
export function knownKeysAt(path: readonly (string | number)[], schema = fileSchema): string[] {
  const [step, ...rest] = path
  if (step === undefined) {
    return optionsOf(schema).flatMap((option) => Object.keys(option.properties ?? {}))
  }
  return optionsOf(schema).flatMap((option) => {
    const next = typeof step === 'number' ? option.items : option.properties?.[step]
    return next === undefined ? [] : knownKeysAt(rest, next)
  })
}

/** Every key there is, as a path of names; those of list elements are left out. */
export function listKeyPaths(schema = fileSchema): string[][] {
  return optionsOf(schema).flatMap((option) =>
    Object.entries(option.properties ?? {}).flatMap(([key, next]) => [
      [key],
      ...listKeyPaths(next).map((path) => [key, ...path]),
    ]),
  )
}
