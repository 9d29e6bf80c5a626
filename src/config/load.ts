// Answers for the way from a file to a `Config`: find, read, check, and report everything that is wrong with it at once.
import { dirname, resolve } from 'node:path'
import { ConfigError, type ConfigProblem } from '../errors.ts'
import type { Config } from './config.ts'
import { type ConfigPlace, type ConfigText, readConfigFile } from './config-file.ts'
import { findConflicts } from './conflicts.ts'
import { createConfig } from './create-config.ts'
import { explainIssues } from './explain.ts'
import { type Finding, isObject, valueAt } from './finding.ts'
import { knownKeysAt } from './json-schema.ts'
import { configFileSchema } from './schema.ts'
import { readSmallFile } from './small-file.ts'
import { parseYaml, type YamlDocument } from './yaml-document.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Finds, reads and checks the configuration; rejects with a `ConfigError` that names every problem. */
export async function loadConfig(
  deps: Omit<ConfigPlace, 'readFile'> & Partial<Pick<ConfigPlace, 'readFile'>>,
): Promise<Config> {
  const found = await readConfigFile({ readFile: readSmallFile, ...deps })
  return parseConfig(found, deps.env)
}

/** The same for a text that is already at hand. */
export function parseConfig(source: ConfigText, env: Env): Config {
  const document = parseYaml(source.text)
  const value = withoutEmpty(document.value, [])
  if (document.value === undefined) throw refuse(source, document.problems)
  if (!isObject(value) || Array.isArray(value)) throw refuse(source, [notAMapping(document.value)])
  const place = { value, file: source.file, defaultState: defaultState(source.file, env) }
  const read = configFileSchema.safeParse(value)
  const mistakes = explainIssues(read.error?.issues ?? [], value)
  const conflicts = findConflicts(
    place,
    mistakes.map(({ key }) => key),
  )
  const findings = [...mistakes, ...conflicts]
  const problems = [...document.problems, ...findings.map((one) => locate(one, document))]
  if (!read.success || problems.length > 0) throw refuse(source, problems)
  return createConfig(read.data, { ...place, notAvailableYet: listNotAvailableYet(value) })
}

/** systemd may name several state directories; the first is ours. */
function defaultState(file: string, env: Env): string {
  const [first] = (env.STATE_DIRECTORY ?? '').split(':')
  return first ? resolve(first) : resolve(dirname(file), 'state')
}

/** No key of ours is deeper than this. */
const MAX_DEPTH = 4

/** A known key with nothing behind it (all its lines commented out) counts as not written. */
function withoutEmpty(value: unknown, path: readonly (string | number)[]): unknown {
  if (!isObject(value) || path.length > MAX_DEPTH) return value
  if (Array.isArray(value)) return value.map((one, index) => withoutEmpty(one, [...path, index]))
  const known = knownKeysAt(path)
  const written = Object.entries(value).filter(([key, one]) => one !== null || !known.includes(key))
  return Object.fromEntries(written.map(([key, one]) => [key, withoutEmpty(one, [...path, key])]))
}

const notAMapping = (value: unknown): ConfigProblem => ({
  line: 1,
  column: 1,
  message:
    value === null
      ? 'the file is empty: at least `wecom.corpId`, `wecom.secret` and `folder.path` are required'
      : `expected keys and values such as \`folder:\`, got ${Array.isArray(value) ? 'a list' : 'a single value'}`,
})

function locate(finding: Finding, document: YamlDocument): ConfigProblem {
  const { key, message, path, isKeyWrong } = finding
  const place = isKeyWrong ? document.placeOfKey(path) : document.placeOf(path)
  return { ...(key === '' ? {} : { key }), message, ...place }
}

function refuse(source: ConfigText, problems: readonly ConfigProblem[]): ConfigError {
  const inOrder = problems
    .map((problem) => ({ ...problem, file: source.shownAs }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  return new ConfigError(`cannot use the configuration \`${source.shownAs}\`: ${count}`, inOrder)
}

/** What is written, right, and has no effect yet. */
function listNotAvailableYet(value: unknown): string[] {
  return isObject(valueAt(value, ['http'])) ? ['http'] : []
}
