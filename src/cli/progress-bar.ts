// Answers for the progress bar of `sync` and `pull`: one line on a terminal's stderr, nothing anywhere else.
import { renderSize } from '../config/size.ts'
import type { Progress } from '../serve/desk.ts'
import { showName } from '../support/show-name.ts'
import { cutToWidth } from './table.ts'

const BAR_CELLS = 24
/** Drawn at most this often: a terminal is slower than the transfers. */
const EVERY_MS = 80

export interface ProgressBar {
  show(progress: Progress): void
  /** Wipes the line, so that what follows starts on a clean one. */
  end(): void
}

export function createProgressBar(deps: {
  stream: NodeJS.WritableStream & { columns?: number }
  clock: { nowMs(): number }
}): ProgressBar {
  let drawnAtMs = Number.NEGATIVE_INFINITY
  return {
    show(progress) {
      const nowMs = deps.clock.nowMs()
      if (nowMs - drawnAtMs < EVERY_MS) return
      drawnAtMs = nowMs
      deps.stream.write(`\r\x1b[2K${renderProgress(progress, deps.stream.columns ?? 80)}`)
    },
    end: () => void deps.stream.write('\r\x1b[2K'),
  }
}

/**
 * `███████─────  312/1000  48 MB  posters/spring.jpg`, cut to the width of the terminal; of a single medium, whose size is known,
 * `███████─────  52%  3 MB of 6 MB  …`.
 */
export function renderProgress(progress: Progress, columns: number): string {
  const { done, total, doneBytes, failed, current, underWay } = progress
  const part = total === 0 ? 0 : (done + (underWay?.parts ?? 0)) / total
  const filled = Math.round(part * BAR_CELLS)
  const bar = '█'.repeat(filled) + '─'.repeat(BAR_CELLS - filled)
  const trouble = failed > 0 ? `  ${failed} failed` : ''
  const isOne = total === 1 && done === 0 && underWay !== undefined && underWay.totalBytes !== null
  const count = isOne
    ? `${Math.floor(part * 100)}%  ${renderSize(doneBytes)} of ${renderSize(underWay.totalBytes)}`
    : `${done}/${total}  ${renderSize(doneBytes)}`
  const line = `${bar}  ${count}${trouble}  ${showName(current[0] ?? '')}`
  return cutToWidth(line, columns - 1)
}
