// Answers for what a pass is asked to look at: requests, and the one wish that they are merged into. Pure.
import type { MediaPath } from './media/media.ts'

/** A wish for a pass; wishes made while one runs are merged into the next. */
export interface PassRequest {
  readonly because: string
  readonly paths?: Iterable<MediaPath>
  readonly all?: boolean
  readonly due?: boolean
  readonly missing?: boolean
  /** Judge again what was found unacceptable: limits and rules may be others now. */
  readonly again?: boolean
  /** A person waits for it: what vanished a moment ago is acted on as well. */
  readonly asked?: boolean
}

/** What a pass will look at, as everybody who asked for one wants it. */
export interface Wish {
  readonly paths: Set<MediaPath>
  readonly reasons: Set<string>
  all: boolean
  due: boolean
  missing: boolean
  again: boolean
  asked: boolean
}

export const createWish = (): Wish => ({
  paths: new Set(),
  reasons: new Set(),
  all: false,
  due: false,
  missing: false,
  again: false,
  asked: false,
})

export const wishForEverything = (): Wish => ({
  ...createWish(),
  all: true,
  due: true,
  missing: true,
})

/** Wants what the request wants, too. */
export function add(wish: Wish, { paths = [], ...request }: PassRequest): void {
  for (const path of paths) wish.paths.add(path)
  wish.reasons.add(request.because)
  for (const what of ['all', 'due', 'missing', 'again', 'asked'] as const)
    wish[what] ||= request[what] === true
}
