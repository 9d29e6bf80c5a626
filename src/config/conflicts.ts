// Answers for what no single value shows: settings that cannot hold together. Reads the file as written, so that a
// mistake elsewhere hides none of these. What a value must be by itself is the schema's part.
import { dirname, resolve } from 'node:path'
import { BEFORE_PART, DEFAULTS, SPREAD_PART } from './defaults.ts'
import { parseDuration, renderDuration } from './duration.ts'
import { createFinding, type Finding, isObject, type KeyPath, textAt, valueAt } from './finding.ts'
import { configInFolder, secretsInFolder, stateInFolder, type Written } from './folder-conflicts.ts'
import { hookConflicts } from './hook-conflicts.ts'
import { isPrivate, overlap, parseListen } from './listen.ts'

type Check = (written: Written) => Finding | readonly Finding[] | undefined

/** Which keys a check looks at: when one of them is wrong by itself, there is nothing to compare. */
const CHECKS: readonly { readonly keys: readonly string[]; readonly check: Check }[] = [
  { keys: ['renewal.lifetime', 'renewal.before', 'renewal.spread'], check: renewsTooEarly },
  { keys: ['renewal.lifetime', 'wecom.baseUrl'], check: outlivesTheService },
  { keys: ['folder.path', 'state'], check: stateInFolder },
  { keys: ['folder.path'], check: configInFolder },
  { keys: ['folder.path'], check: secretsInFolder },
  { keys: ['http.listen'], check: openWithoutToken },
  { keys: ['http.listen', 'callback.listen'], check: sameAddress },
  { keys: ['on'], check: hookConflicts },
  { keys: ['state', 'callback.listen'], check: onTheDaemonsSocket },
]

/** Every impossible combination; `wrongKeys` are those that the schema objects to. */
export function findConflicts(written: Written, wrongKeys: readonly string[]): Finding[] {
  const isWrong = (key: string) =>
    wrongKeys.some((wrong) => key === wrong || key.startsWith(`${wrong}.`))
  return CHECKS.filter(({ keys }) => !keys.some(isWrong)).flatMap(
    ({ check }) => check(written) ?? [],
  )
}

/** What would be due the moment it is uploaded would be uploaded for ever. */
function renewsTooEarly({ value }: Written): Finding | undefined {
  const lifetimeMs = durationAt(value, ['renewal', 'lifetime'], DEFAULT_LIFETIME_MS)
  if (lifetimeMs === undefined) return undefined
  const beforeMs = durationAt(value, ['renewal', 'before'], lifetimeMs * BEFORE_PART)
  const spreadMs = durationAt(value, ['renewal', 'spread'], lifetimeMs * SPREAD_PART)
  if (beforeMs === undefined || spreadMs === undefined) return undefined
  if (beforeMs + spreadMs < lifetimeMs) return undefined
  const isBeforeWritten = valueAt(value, ['renewal', 'before']) !== undefined
  const sum = `${renderDuration(beforeMs)} + ${renderDuration(spreadMs)}`
  return createFinding(
    ['renewal', isBeforeWritten ? 'before' : 'spread'],
    `\`renewal.before\` + \`renewal.spread\` (${sum}) must be less than \`renewal.lifetime\` (${renderDuration(lifetimeMs)}), or media would be due as soon as they are uploaded`,
  )
}

const DEFAULT_LIFETIME_MS = parseDuration(DEFAULTS.renewal.lifetime) ?? 0

/** The service itself keeps media for three days; counting on more means handing out dead ids. */
function outlivesTheService({ value }: Written): Finding | undefined {
  const baseUrl = textAt(value, ['wecom', 'baseUrl']) ?? DEFAULTS.wecom.baseUrl
  const isTheService = URL.canParse(baseUrl) && new URL(baseUrl).hostname === 'qyapi.weixin.qq.com'
  const lifetimeMs = durationAt(value, ['renewal', 'lifetime'], DEFAULT_LIFETIME_MS)
  if (!isTheService || lifetimeMs === undefined || lifetimeMs <= DEFAULT_LIFETIME_MS)
    return undefined
  return createFinding(
    ['renewal', 'lifetime'],
    `\`renewal.lifetime\` (${renderDuration(lifetimeMs)}) cannot exceed 3d: WeCom deletes every medium three days after its upload`,
  )
}

function openWithoutToken({ value }: Written): Finding | undefined {
  const listen = textAt(value, ['http', 'listen'])
  const address = parseListen(listen ?? DEFAULTS.http.listen)
  if (address === undefined || isPrivate(address)) return undefined
  if (valueAt(value, ['http', 'token']) !== undefined) return undefined
  return createFinding(
    ['http', 'listen'],
    '`http.listen` is open to other machines, which demands `http.token`: add one, or listen on 127.0.0.1 or a socket',
  )
}

function sameAddress({ value }: Written): Finding | undefined {
  if (!isObject(valueAt(value, ['callback'])) || valueAt(value, ['http']) === false)
    return undefined
  const callback = parseListen(textAt(value, CALLBACK_LISTEN) ?? DEFAULTS.callback.listen)
  const http = parseListen(textAt(value, ['http', 'listen']) ?? DEFAULTS.http.listen)
  if (!callback || !http || !overlap(callback, http)) return undefined
  return createFinding(
    CALLBACK_LISTEN,
    '`callback.listen` and `http.listen` cannot be the same address: change one port',
  )
}

const CALLBACK_LISTEN = ['callback', 'listen'] as const

/** The socket in the state directory is for the daemon's own user; strangers are heard elsewhere. */
function onTheDaemonsSocket(written: Written): Finding | undefined {
  const listen = textAt(written.value, CALLBACK_LISTEN)
  const address = listen === undefined ? undefined : parseListen(listen)
  if (address?.kind !== 'unix') return undefined
  const absolute = (path: string) => resolve(dirname(written.file), path)
  const state = textAt(written.value, ['state'])
  const statePath = state === undefined ? written.defaultState : absolute(state)
  if (dirname(absolute(address.path)) !== statePath) return undefined
  return createFinding(
    CALLBACK_LISTEN,
    '`callback.listen` cannot be in the state directory, where the socket of commands is: choose another directory',
  )
}

/** Undefined when something is written that is no duration. */
function durationAt(value: unknown, path: KeyPath, fallbackMs: number): number | undefined {
  const found = valueAt(value, path)
  if (found === undefined) return fallbackMs
  return typeof found === 'string' ? parseDuration(found) : undefined
}
