// Answers for reading YAML 1.2 with its places: the plain value, and on which line a key stands. Knows no key by name.
import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml'
import type { KeyPath } from './finding.ts'
import { STAR, SYNTAX, TWICE, WIDE_COLON } from './yaml-words.ts'

interface Place {
  readonly line: number
  readonly column: number
}

interface Placed extends Place {
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
  const flaws = [...findWideColons(text), ...findFlaws(document, text.trimEnd().length)]
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

function findFlaws(document: Document, endOfText: number): Flaw[] {
  const broken = [...document.errors, ...document.warnings]
  const isTooDeep = broken.some(({ code }) => code === 'RESOURCE_EXHAUSTION')
  const flaws = broken.map(({ code, pos }) => ({
    offset: isTooDeep || pos[0] < endOfText ? pos[0] : (findUnclosed(document) ?? pos[0]),
    message: `this is not YAML: ${SYNTAX[code]}`,
    isFatal: true,
  }))
  return isTooDeep ? flaws : [...flaws, ...findDoubtful(document)]
}

/** Before all other flaws: what the grammar makes of such a line is said of it instead, or of the lines around it. */
const findWideColons = (text: string): Flaw[] =>
  [...text.matchAll(/^[ \t-]*(?=[A-Za-z]+：)/gm)].map(({ index, 0: blanks }) => ({
    offset: index + blanks.length,
    message: `this is not YAML: ${WIDE_COLON}`,
    isFatal: true,
  }))

/** What stumbles at the end of the text began where the last quote or bracket was opened. */
function findUnclosed(document: Document): number | undefined {
  let offset: number | undefined
  visit(document, {
    Node(_, node) {
      const isQuoted = isScalar(node) && node.type?.startsWith('QUOTE_')
      if (isQuoted || (isCollection(node) && node.flow)) offset = startOf(node)
    },
  })
  return offset
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

/** The start of the value at a path, else of its key, else of the nearest mapping's key above. */
function findOffset(document: Document, path: KeyPath, target: 'key' | 'value'): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const [depth, step] of path.entries()) {
    const pair = isMap(node) ? node.items.findLast(({ key }) => nameOf(key) === step) : undefined
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
