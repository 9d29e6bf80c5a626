// Answers for columns on a terminal. Pure.

/** A cell that is wider than this pushes its own row aside, not all the others. */
const MOST_WIDTH = 80

/** Rows as text in aligned columns; the last column is left ragged. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      const width = widthOf(cell)
      if (width <= MOST_WIDTH) widths[column] = Math.max(widths[column] ?? 0, width)
    }
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
  column === row.length - 1
    ? cell
    : cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell)))

/** Chinese, Japanese and Korean characters, full-width forms and emoji take two cells. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u

/** How many cells of a terminal a text takes. */
export const widthOf = (text: string): number =>
  [...text].reduce((width, char) => width + (WIDE.test(char) ? 2 : 1), 0)

/** As much of the start of a text as fits the cells. */
export function cutToWidth(text: string, cells: number): string {
  let [cut, width] = ['', 0]
  for (const char of text) {
    width += widthOf(char)
    if (width > cells) break
    cut += char
  }
  return cut
}
