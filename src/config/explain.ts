// Answers for turning what zod objects to into sentences for a person. A sentence may repeat what stands in the file
// only where that cannot be a secret: not around a secret's key, not a long text, not an address, not a key without value.
import type { z } from 'zod'
import { type Finding, isObject, type KeyPath, renderKey, valueAt } from './finding.ts'
import { knownKeysAt, listKeyPaths } from './json-schema.ts'
import { findNearest } from './nearest-key.ts'
import { SECRET_KEYS, withoutPlaces } from './secret-field.ts'

type Issue = z.core.$ZodIssue

/** More unknown keys than this in one mapping are some other program's file. */
const MAX_UNKNOWN_KEYS = 50

/** One finding for each thing that is wrong; `file` is what was checked. */
export const explainIssues = (issues: readonly Issue[], file: unknown): Finding[] =>
  issues.flatMap((issue) => explainIssue(issue, keyPathOf(issue), file))

const keyPathOf = (issue: Issue): KeyPath =>
  issue.path.map((step) => (typeof step === 'number' ? step : String(step)))

function explainIssue(issue: Issue, path: KeyPath, file: unknown): Finding[] {
  if (issue.code === 'unrecognized_keys') {
    return explainUnknownKeys(path, issue.keys, file)
  }
  const inner = issue.code === 'invalid_union' ? pickBranch(issue.errors, valueAt(file, path)) : []
  if (inner.length === 0) return [explainValue(issue.message, path, file)]
  return inner.flatMap((one) => explainIssue(one, [...path, ...keyPathOf(one)], file))
}

/** Whoever wrote a mapping or list meant the alternative of that form, and wants to hear what is wrong inside. */
function pickBranch(branches: readonly (readonly Issue[])[], value: unknown): readonly Issue[] {
  const isOfThisForm = (issues: readonly Issue[]) =>
    issues.every(({ code, path }) => path.length > 0 || !/^invalid_(type|value)$/.test(code))
  return isObject(value) ? (branches.find(isOfThisForm) ?? []) : []
}

function explainValue(expected: string, path: KeyPath, file: unknown): Finding {
  const value = valueAt(file, path)
  const key = renderKey(path)
  if (value === undefined) return { path, key, message: `\`${key}\` is required: ${expected}` }
  return { path, key, message: `\`${key}\`: expected ${expected}, got ${renderFound(value, path)}` }
}

function explainUnknownKeys(within: KeyPath, unknown: readonly string[], file: unknown) {
  const findings = unknown
    .slice(0, MAX_UNKNOWN_KEYS)
    .map((key) => explainUnknownKey(within, key, file))
  const hidden = unknown.length - findings.length
  const message = `${hidden} more unknown keys: is this a configuration of wecom-media-mirror?`
  return hidden > 0 ? [...findings, { path: within, key: renderKey(within), message }] : findings
}

function explainUnknownKey(within: KeyPath, unknown: string, file: unknown): Finding {
  const path = [...within, unknown]
  const isEmpty = (valueAt(file, path) ?? null) === null
  const isSafe = !isEmpty && !isBelowSecret(within) && /^[A-Za-z][\w-]{0,30}$/.test(unknown)
  const where = within.length === 0 ? '' : ` in \`${renderKey(within)}\``
  const name = isSafe ? ` \`${unknown}\`` : ''
  return {
    path,
    isKeyWrong: true,
    key: renderKey(isSafe ? path : within),
    message: `unknown key${name}${where}${suggest(within, unknown)}`,
  }
}

/** A key of this mapping that is nearly the same, else one that stands elsewhere under just this name. */
function suggest(within: KeyPath, unknown: string): string {
  const known = knownKeysAt(within)
  const beforeColon = unknown.slice(0, Math.max(0, unknown.indexOf(':')))
  if (known.includes(beforeColon)) return `: \`${beforeColon}:\` needs a space after its colon`
  const near =
    findNearest(unknown, known) ??
    listKeyPaths()
      .find((path) => path.at(-1) === unknown)
      ?.join('.')
  if (near !== undefined) return `: did you mean \`${near}\`?`
  return `; known here: ${known.map((key) => `\`${key}\``).join(', ')}`
}

const isBelowSecret = (path: KeyPath): boolean =>
  SECRET_KEYS.some((key) => `${withoutPlaces(renderKey(path))}.`.startsWith(`${key}.`))

const isAboveSecret = (path: KeyPath): boolean =>
  SECRET_KEYS.some((key) => /^[.[]/.test(restBelow(key, withoutPlaces(renderKey(path)))))

const restBelow = (key: string, above: string) =>
  key.startsWith(above) ? key.slice(above.length) : ''

/** Only short texts are repeated, near a secret only single words: what is in a wrong place may be a secret. */
function renderFound(value: unknown, path: KeyPath): string {
  if (Array.isArray(value)) return 'a list'
  if (isObject(value)) return 'a mapping'
  if (isBelowSecret(path))
    return typeof value === 'string' ? 'other text' : 'a value without quotes'
  if (typeof value === 'number') return `the number ${value}`
  if (typeof value !== 'string') return `\`${value}\``
  const harmless = isAboveSecret(path.slice(0, 1)) ? /^[\w.,%/*-]{1,24}$/ : /^[\w.,%/* -]{1,24}$/
  return harmless.test(value) && !isAboveSecret(path) ? `\`${value}\`` : 'other text'
}
