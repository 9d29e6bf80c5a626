// Answers for what cannot hold together in a hook, and between hooks. What each of its values must be is the schema's part.
import {
  createFinding,
  type Finding,
  isObject,
  type KeyPath,
  renderKey,
  valueAt,
} from './finding.ts'
import type { Written } from './folder-conflicts.ts'
import { nameHook } from './hook-name.ts'

interface WrittenHook {
  readonly at: KeyPath
  readonly hook: Readonly<Record<string, unknown>>
}

export function hookConflicts({ value }: Written): Finding[] {
  const hooks = hooksIn(value)
  return [
    ...hooks.flatMap(doesNotDoOneThing),
    ...hooks.flatMap(keysWithoutPost),
    ...sameNames(hooks),
  ]
}

/** Those that are mappings: of what else stands there the schema says what it thinks. */
function hooksIn(value: unknown): WrittenHook[] {
  const hooks = valueAt(value, ['on'])
  return (Array.isArray(hooks) ? hooks : []).flatMap((hook: unknown, place) =>
    isObject(hook) && !Array.isArray(hook) ? [{ at: ['on', place], hook }] : [],
  )
}

function doesNotDoOneThing({ at, hook }: WrittenHook): Finding[] {
  if ((hook.run === undefined) !== (hook.post === undefined)) return []
  const message = `\`${renderKey(at)}\` must have one of \`run\` and \`post\``
  return [createFinding(at, message)]
}

function keysWithoutPost({ at, hook }: WrittenHook): Finding[] {
  if (hook.post !== undefined) return []
  return ['token', 'secret']
    .filter((key) => hook[key] !== undefined)
    .map((key) => {
      const path = [...at, key]
      return createFinding(path, `\`${renderKey(path)}\` means nothing without \`post\``)
    })
}

/** Names tell hooks apart in the manifest, also when their order changes. */
function sameNames(hooks: readonly WrittenHook[]): Finding[] {
  const seen = new Map<string, KeyPath>()
  return hooks.flatMap(({ at, hook }) => {
    const name = nameHook(hook)
    if (name === undefined) return []
    const other = seen.get(name)
    if (other === undefined) {
      seen.set(name, at)
      return []
    }
    const message = `\`${renderKey(at)}\` has the same name as \`${renderKey(other)}\`: give it a \`name\` of its own`
    return [createFinding(at, message)]
  })
}
