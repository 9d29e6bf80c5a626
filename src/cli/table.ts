// Answers for columns on a terminal. Pure.

/** Rows as text in aligned columns; the last column is left ragged. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))
  }
  return rows
    .map((row) => row.map((cell, column) => pad(cell, row, column, widths)).join('  '))
    .join('\n')
}

const pad = (
  cell: string,
  row: readonly string[],
  column: number,
  widths: readonly number[],
): string =>
  column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell))

/** Chinese, Japanese and Korean characters, full-width forms and emoji take two cells. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u

const widthOf = (text: string): number =>
  [...text].reduce((width, char) => width + (WIDE.test(char) ? 2 : 1), 0)

/** A name as it may be shown: control characters and changes of writing direction made visible, so that it cannot move the cursor or fake a line. */
export const showName = (name: string): string =>
  name.replaceAll(
    /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu,
    (char) => `\\u{${char.charCodeAt(0).toString(16)}}`,
  )
