// Answers for reading YAML 1.2 with its places: the plain value, and on which line a key stands. Knows no key by name.
// The messages of the library are not used: they repeat pieces of the file, and a piece may be a secret.
import {
  type Document,
  type ErrorCode,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml'
import type { KeyPath } from './finding.ts'

export interface Place {
  readonly line: number
  readonly column: number
}

export interface Placed extends Place {
  readonly message: string
}

export interface YamlDocument {
  /** Mappings, lists and scalars; undefined when the text is no YAML and nothing can be said about its keys. */
  readonly value: unknown
  readonly problems: readonly Placed[]
  /** Where the value of a key stands; for one that is missing, where it should be. */
  placeOf(path: KeyPath): Place
  /** Where the key itself stands. */
  placeOfKey(path: KeyPath): Place
}

/** Reads a text; whatever is wrong with it is in `problems`, nothing is thrown. */
export function parseYaml(text: string): YamlDocument {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    // Its own look for duplicates compares every key with every other: minutes for a large file given by mistake.
    uniqueKeys: false,
  })
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) } // 0:0 is its word for an empty text
  }
  const flaws = findFlaws(document)
  return {
    value: flaws.some(({ isFatal }) => isFatal) ? undefined : document.toJS({ maxAliasCount: -1 }),
    problems: keepFirstOfLine(
      flaws.map((flaw) => ({ ...placeAt(flaw.offset), message: flaw.message })),
    ),
    placeOf: (path) => placeAt(findOffset(document, path, 'value')),
    placeOfKey: (path) => placeAt(findOffset(document, path, 'key')),
  }
}

/** One slip makes the grammar stumble over the rest of its line, too. */
function keepFirstOfLine(problems: readonly Placed[]): Placed[] {
  const inOrder = problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
  return inOrder.filter(({ line }, index) => line !== inOrder[index - 1]?.line)
}

interface Flaw {
  readonly offset: number
  readonly message: string
  /** Whether nothing can be said about the keys of the file. */
  readonly isFatal: boolean
}

function findFlaws(document: Document): Flaw[] {
  const broken = [...document.errors, ...document.warnings]
  const flaws = broken.map(({ code, pos }) => ({
    offset: pos[0],
    message: `this is not YAML: ${SYNTAX[code]}`,
    isFatal: true,
  }))
  const isTooDeep = broken.some(({ code }) => code === 'RESOURCE_EXHAUSTION')
  return isTooDeep ? flaws : [...flaws, ...findDoubtful(document)]
}

/** What the grammar allows and we do not: keys that stand twice, and aliases of anything but one value. */
function findDoubtful(document: Document): Flaw[] {
  const flaws: Flaw[] = []
  const add = (node: unknown, message: string, isFatal: boolean) =>
    flaws.push({ offset: startOf(node) ?? 0, message, isFatal })
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : key
        if (seen.has(name)) add(key, TWICE, false)
        seen.add(name)
      }
    },
    // Of single values only, so that no alias can contain itself or make a small file huge.
    Alias(_, alias) {
      if (!isScalar(alias.resolve(document))) add(alias, STAR, true)
    },
  })
  return flaws
}

const TWICE = 'this key stands twice in its mapping: remove one'
const STAR = 'a value that begins with `*` must stand in quotes, such as "*/5 * * * *"'

/** The start of the value at a path, else of its key, else of the nearest mapping's key above. */
function findOffset(document: Document, path: KeyPath, target: 'key' | 'value'): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const [depth, step] of path.entries()) {
    const pair = isMap(node) ? node.items.find(({ key }) => nameOf(key) === step) : undefined
    const next = isSeq(node) && typeof step === 'number' ? node.items[step] : pair?.value
    const keyOffset = startOf(pair?.key) ?? startOf(next)
    if (keyOffset === undefined) break
    const isTarget = depth === path.length - 1 && target === 'value' && hasText(next)
    offset = (isTarget ? startOf(next) : undefined) ?? keyOffset
    node = next
  }
  return offset
}

const nameOf = (key: unknown) => (isScalar(key) ? key.value : undefined)

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined)

/** An empty value has a place too, but it is behind the key, where nobody looks. */
const hasText = (node: unknown): boolean =>
  isNode(node) && node.range !== undefined && node.range !== null && node.range[1] > node.range[0]

const SYNTAX: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS:
    'an alias (`*name`) takes no anchor or tag; put a value that begins with `*` in quotes',
  BAD_ALIAS: STAR,
  BAD_COLLECTION_TYPE: 'the tag does not fit what follows it',
  BAD_DIRECTIVE: 'a line that begins with `%` is no directive that is known',
  BAD_DQ_ESCAPE: 'unknown escape after a backslash; in single quotes a backslash is just that',
  BAD_INDENT: 'the indentation does not fit the lines above, or a bracket is not closed',
  BAD_PROP_ORDER: 'an anchor or tag stands in the wrong place',
  BAD_SCALAR_START: 'a value cannot begin with this character: put it in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a second `key:` here; put a value that contains `: ` in quotes, or check the indentation',
  BLOCK_IN_FLOW: 'lines of `key: value` cannot stand inside brackets',
  DUPLICATE_KEY: TWICE,
  IMPOSSIBLE: 'it cannot be read',
  KEY_OVER_1024_CHARS: 'a key is far too long; is a quote not closed?',
  MISSING_CHAR:
    'something is missing: a colon and a space after a key, a comma, or a closing quote or bracket',
  MULTILINE_IMPLICIT_KEY:
    'a key must stand on one line; check the indentation and the quotes above',
  MULTIPLE_ANCHORS: 'a value can have only one anchor',
  MULTIPLE_DOCS: 'a second document begins; remove the `---`',
  MULTIPLE_TAGS: 'a value can have only one tag',
  NON_STRING_KEY: 'a key must be a single word, not a list or mapping; put `{{…}}` in quotes',
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
  TAB_AS_INDENT: 'a tab cannot indent: use spaces',
  TAG_RESOLVE_FAILED:
    'tags such as `!name` are not known; put a value that begins with `!` in quotes',
  UNEXPECTED_TOKEN:
    'something stands here that does not belong; check the indentation and the quotes above',
}
