// Answers for what a test, or a person trying things out, can do to the service behind its back.
import type { MediaKind } from '../media/media.ts'
import type { Clock } from '../support/clock.ts'
import type { CallLog, CallRow } from './call.ts'
import type { FaultBook, FaultRule } from './faults.ts'
import type { StoredMedium } from './media-index.ts'
import type { MediaStore } from './media-store.ts'
import { createMessages, type MessageOptions, type SentMessage } from './messages.ts'
import type { SimulatorOptions } from './options.ts'
import type { Tokens } from './tokens.ts'

/** A medium that somebody else put into WeCom: an employee's picture, another app's file. */
interface NewMedium {
  readonly kind: MediaKind
  readonly wireName: string
  readonly content: Buffer
  /** Without one, every corp may fetch it. */
  readonly corpId?: string
  /** A voice recorded by a web page: also to be had in high definition. */
  readonly fromJsSdk?: boolean
}

export interface SimulatorControls {
  /** Trouble from now on; call the answer to end it. */
  addFault(rule: FaultRule): () => void
  clearFaults(): void
  /** Every token issued so far is void. */
  revokeTokens(): void
  /** Lets a medium die before its time; false if there is none. */
  killMedia(mediaId: string): Promise<boolean>
  /** Takes a medium in without looking at it, and answers with its id. */
  addMedia(medium: NewMedium): Promise<string>
  /** Somebody sends a message to the app: its medium is stored, and the receiver called. Resolves after the last attempt. */
  sendMessage(message: MessageOptions): Promise<SentMessage>
  /** What is alive, oldest first. */
  media(): readonly StoredMedium[]
  /** The last ten thousand calls. */
  calls(): readonly CallRow[]
  /** How many calls there were, by API. */
  counts(): ReturnType<CallLog['counts']>
  clearCalls(): void
  /** Other settings from now on, on top of those in force. */
  change(options: SimulatorOptions): void
}

export function createControls(deps: {
  faults: FaultBook
  tokens: Tokens
  store: MediaStore
  log: CallLog
  clock: Clock
  change(options: SimulatorOptions): void
}): SimulatorControls {
  const { faults, tokens, store, log } = deps

  async function addMedia({ content, ...about }: NewMedium): Promise<string> {
    if (content.length === 0) throw new RangeError('cannot add a medium: it has no content')
    const intake = store.receive(content.length)
    await intake.write(content)
    return (await intake.commit(about)).mediaId
  }

  return {
    addFault: (rule) => faults.add(rule).remove,
    clearFaults: faults.clear,
    revokeTokens: tokens.revokeAll,
    killMedia: store.remove,
    addMedia,
    sendMessage: createMessages({ clock: deps.clock, addMedia }),
    media: store.list,
    calls: log.rows,
    counts: log.counts,
    clearCalls: log.clear,
    change: deps.change,
  }
}
