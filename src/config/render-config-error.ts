// Answers for a `ConfigError` on a terminal: one line for each problem, as compilers write them, then the count.
import type { ConfigError, ConfigProblem } from '../errors.ts'

/** More lines than this are not read; the first usually explain the rest. */
const MAX_LINES = 50

/** The text to print, without a line feed at its end. */
export function renderConfigError(error: ConfigError): string {
  const placed = error.problems.filter(({ line }) => line !== undefined)
  const hidden = Math.max(0, placed.length - MAX_LINES)
  return [
    ...placed.slice(0, MAX_LINES).map(renderProblem),
    ...(hidden > 0 ? [`… and ${hidden} more`] : []),
    error.message,
    ...(error.hint === undefined ? [] : [`hint: ${error.hint}`]),
  ].join('\n')
}

const renderProblem = ({ file, line, column, message }: ConfigProblem): string =>
  `${[file, line, column].filter((part) => part !== undefined).join(':')}: ${message}`
