// Answers for what must not lie inside the folder, because all that lies there is uploaded. By name only: where symbolic
// links lead is looked at when the daemon starts.
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { createFinding, type Finding, type KeyPath, renderKey, textAt, valueAt } from './finding.ts'
import { SECRET_KEYS } from './secret-field.ts'

export interface Written {
  /** The mapping that the file holds. */
  readonly value: unknown
  /** The file, absolute. */
  readonly file: string
  /** Where the state is when the file does not say; absolute. */
  readonly defaultState: string
}

/** The state directory, whose files change with every upload. */
export function stateInFolder(written: Written): Finding | undefined {
  const state = textAt(written.value, ['state'])
  const statePath = state === undefined ? written.defaultState : fromFile(written, state)
  if (!isInFolder(written, statePath)) return undefined
  const byDefault = state === undefined ? ', by default,' : ''
  return createFinding(
    state === undefined ? ['folder', 'path'] : ['state'],
    `\`state\` (\`${statePath}\`${byDefault}) must not lie inside \`folder.path\`, or the manifest itself would be uploaded`,
    'state',
  )
}

/** The configuration file, which may hold the secret. */
export function configInFolder(written: Written): Finding | undefined {
  if (!isUploaded(written, written.file)) return undefined
  return createFinding(
    ['folder', 'path'],
    '`folder.path` must not hold this configuration file, or it would be uploaded: move one of them',
  )
}

/** Files with secrets. */
export function secretsInFolder(written: Written): Finding[] {
  return SECRET_KEYS.flatMap((key) => placesOf(key, written.value)).flatMap((place) => {
    const path = [...place, 'file']
    const file = textAt(written.value, path)
    if (file === undefined || !isUploaded(written, fromFile(written, file))) return []
    return [
      createFinding(
        path,
        `\`${renderKey(path)}\` must not lie inside \`folder.path\`, or the secret would be uploaded: move the file`,
      ),
    ]
  })
}

/** Where a key with `[]` in it stands: once for each element of the list. */
function placesOf(key: string, value: unknown): KeyPath[] {
  const [list = '', below] = key.split('[].')
  if (below === undefined) return [key.split('.')]
  const elements = valueAt(value, list.split('.'))
  return Array.isArray(elements)
    ? elements.map((_, place) => [...list.split('.'), place, ...below.split('.')])
    : []
}

const fromFile = ({ file }: Written, path: string) => resolve(dirname(file), path)

const isInFolder = (written: Written, path: string) => wayInFolder(written, path) !== undefined

/** What lies below a dot directory is in the folder, but ignored. */
const isUploaded = (written: Written, path: string): boolean =>
  wayInFolder(written, path)
    ?.split(sep)
    .every((part) => !part.startsWith('.')) ?? false

function wayInFolder(written: Written, path: string): string | undefined {
  const folder = textAt(written.value, ['folder', 'path'])
  if (!folder) return undefined
  const way = relative(fromFile(written, folder), path)
  return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way) ? undefined : way
}
