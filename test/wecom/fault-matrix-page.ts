// The fault matrix as a page for people.
import type { Remedy } from '../../src/errors.ts'
import type { Purpose } from './faulty-wecom.ts'

/** What was seen of one fault at one call. */
export interface Cell {
  readonly remedy: Remedy
  readonly calls: number
  readonly stopsAfter: number | 'never'
  readonly once: 'goes through' | 'fails'
  readonly message: string
  /** What the message tells people to do. */
  readonly said: string
}

const HEAD = `# What goes wrong, and what comes of it

Every fault that was met in test, at each of the three calls it can befall (gettoken, media/upload, media/get), with the whole client over
real sockets. Written by \`test/wecom/fault-matrix.test.ts\` from what it saw; change that, not this page.

A cell says: the remedy (\`retry\`: time cures it; \`slow-down\`: we called too much; \`stop\`: a person must act; \`skip\`: this one file or id is
at fault) · how many calls one operation made before it was given up · what a single strike does to the operation that meets it.
**Circuit** says after how many operations in a row all calls stop, but for a rare probe; \`never\` where other files go on. Once the fault was
over, the next probe or operation went through in every cell.

`

const CALLS: readonly Purpose[] = ['token', 'upload', 'download']

/** The page of all rows. */
export function renderMatrix(
  rows: readonly { readonly name: string; readonly cells: Readonly<Record<Purpose, Cell>> }[],
): string {
  const lines = [
    '| fault | token | upload | download | circuit | what people are told to do |',
    '|---|---|---|---|---|---|',
    ...rows.map(({ name, cells }) =>
      renderRow([
        name,
        ...CALLS.map((call) => renderCell(cells[call])),
        renderSame(CALLS.map((call) => `${cells[call].stopsAfter}`)),
        renderSame(CALLS.map((call) => cells[call].said || '–')),
      ]),
    ),
  ]
  return `${HEAD}${lines.join('\n')}\n`
}

const renderRow = (columns: readonly string[]): string =>
  `| ${columns.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`

const renderCell = ({ remedy, calls, once }: Cell): string => `\`${remedy}\` · ${calls} · ${once}`

/** Once where all three are the same, else by those that share it. */
function renderSame(texts: readonly string[]): string {
  const sharers = Map.groupBy(CALLS, (_call, index) => texts[index] ?? '')
  if (sharers.size === 1) return texts[0] ?? ''
  return [...sharers].map(([text, calls]) => `${calls.join(', ')}: ${text}`).join('; ')
}
