// Answers for finding the configuration file and getting its text. Not for what the text means.
import { join, resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import { explainReadError, isNotThere, type ReadSmallFile } from './small-file.ts'

const MAX_BYTES = 2 ** 20
const SYSTEM_FILE = '/etc/wecom-media-mirror/config.yaml'
const VARIABLE = 'WECOM_MEDIA_MIRROR_CONFIG'

export interface ConfigText {
  readonly text: string
  /** Absolute. */
  readonly file: string
  /** As the person named it: what messages begin with. */
  readonly shownAs: string
}

export interface ConfigPlace {
  readonly args: { readonly config?: string | undefined }
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly readFile: ReadSmallFile
}

/** The text of the file that `-c` or the environment names, else of the first of the two usual ones that exists. */
export async function readConfigFile(place: ConfigPlace): Promise<ConfigText> {
  const named = place.args.config ?? (place.env[VARIABLE] || undefined)
  const candidates = named === undefined ? ['config.yaml', SYSTEM_FILE] : [named]
  for (const shownAs of candidates) {
    const file = resolve(place.cwd, shownAs)
    const bytes = await readIfThere(place.readFile, file, shownAs)
    if (bytes !== undefined) return { text: decode(bytes, shownAs), file, shownAs }
  }
  throw notFound(place, named)
}

async function readIfThere(readFile: ReadSmallFile, file: string, shownAs: string) {
  try {
    const { bytes } = await readFile(file, MAX_BYTES)
    return bytes
  } catch (error) {
    if (isNotThere(error)) return undefined
    const message = `cannot read the configuration \`${shownAs}\`: ${explainReadError(error)}`
    const hint = 'name a YAML file that this user may read, with -c FILE'
    throw new ConfigError(message, [], { hint, cause: error })
  }
}

function notFound({ args, cwd }: ConfigPlace, named: string | undefined): ConfigError {
  if (named === undefined) {
    const places = `\`${join(cwd, 'config.yaml')}\` and \`${SYSTEM_FILE}\``
    return new ConfigError(`cannot find a configuration: looked for ${places}`, [], {
      hint: `start from \`config/example.yaml\` (or the five lines of the README), or name one with -c FILE or in $${VARIABLE}`,
    })
  }
  const source = args.config === undefined ? `$${VARIABLE}` : '-c'
  const message = `cannot find the configuration \`${named}\`, which ${source} names`
  return new ConfigError(message, [], {
    hint: `it was looked for at \`${resolve(cwd, named)}\`; correct the name, or write it (\`config/example.yaml\` shows everything)`,
  })
}

function decode(bytes: Uint8Array, shownAs: string): string {
  const refuse = (why: string, hint: string) =>
    new ConfigError(`cannot use the configuration \`${shownAs}\`: ${why}`, [], { hint })
  if (bytes.length > MAX_BYTES) {
    throw refuse('it is larger than 1 MB', 'no configuration is: check the name of the file')
  }
  try {
    // Also drops a byte order mark, which Windows editors put at the beginning.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw refuse('it is not UTF-8 text', 'save it as UTF-8 (not GBK, not UTF-16)')
  }
}
