// Answers for the controls over HTTP, under `/_simulator/`, for programs in another process or language.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { MEDIA_KINDS } from '../media/media.ts'
import type { SimulatorControls } from './controls.ts'
import { type FaultBook, type FaultRule, faultRuleSchema } from './faults.ts'
import type { MessageOptions } from './messages.ts'
import type { SimulatorOptions } from './options.ts'

export const CONTROL_PREFIX = '/_simulator/'

const LARGEST_BODY_BYTES = 64 * 1024
/** These bring content, in base64: the largest file that WeCom takes in messages, and more. */
const LARGEST_CONTENT_BYTES = 128 * 2 ** 20
const CONTENT_NOUNS = new Set(['media', 'messages'])

interface Answered {
  readonly status: number
  readonly body?: unknown
}

type Route = (body: unknown, rest: string) => Answered | Promise<Answered>

const killSchema = z.strictObject({ mediaId: z.string() })
const mediumSchema = z.strictObject({
  kind: z.enum(MEDIA_KINDS),
  wireName: z.string(),
  /** In base64. */
  content: z.base64().transform((text) => Buffer.from(text, 'base64')),
  corpId: z.string().exactOptional(),
  fromJsSdk: z.boolean().exactOptional(),
})
const done: Answered = { status: 204 }

/** Serves one control request; what it cannot understand is answered with 400 and why. */
export function createControlRoutes(deps: { controls: SimulatorControls; faults: FaultBook }) {
  const { controls, faults } = deps
  const routes: Readonly<Record<string, Route>> = {
    'POST faults': (body) => {
      const rule: FaultRule = faultRuleSchema.parse(body)
      return { status: 201, body: { id: faults.add(rule).id } }
    },
    'DELETE faults': (_, id) => {
      if (id === '') faults.clear()
      return id === '' || faults.remove(Number(id)) ? done : { status: 404 }
    },
    'POST media': async (body) => ({
      status: 201,
      body: { mediaId: await controls.addMedia(mediumSchema.parse(body)) },
    }),
    'GET media': () => ({ status: 200, body: controls.media() }),
    'GET calls': () => ({ status: 200, body: controls.calls() }),
    'GET counts': () => ({ status: 200, body: controls.counts() }),
    'POST revoke-tokens': () => {
      controls.revokeTokens()
      return done
    },
    'POST kill-media': async (body) => {
      const killed = await controls.killMedia(killSchema.parse(body).mediaId)
      return killed ? done : { status: 404 }
    },
    'POST messages': async (body) => ({
      status: 200,
      body: await controls.sendMessage(body as MessageOptions),
    }),
    'POST options': (body) => {
      controls.change(body as SimulatorOptions)
      return done
    },
  }

  async function route(request: IncomingMessage, path: string): Promise<Answered> {
    const [noun = '', rest = ''] = path.slice(CONTROL_PREFIX.length).split('/')
    const name = `${request.method} ${noun}`
    const found = Object.hasOwn(routes, name) ? routes[name] : undefined
    if (!found) return { status: 404 }
    const limitBytes = CONTENT_NOUNS.has(noun) ? LARGEST_CONTENT_BYTES : LARGEST_BODY_BYTES
    const text = await readText(request, limitBytes)
    if (text === undefined)
      return { status: 413, body: { error: `the body has more than ${limitBytes} bytes` } }
    try {
      return await found(text === '' ? {} : JSON.parse(text), rest)
    } catch (error) {
      if (error instanceof z.ZodError)
        return { status: 400, body: { error: z.prettifyError(error) } }
      // A body that is no JSON, an option that does not exist, one fault too many.
      const isTheirs =
        error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError
      if (isTheirs) return { status: 400, body: { error: error.message } }
      throw error
    }
  }

  return async function serve(request: IncomingMessage, response: ServerResponse, path: string) {
    const { status, body } = await route(request, path)
    if (body === undefined) return void response.writeHead(status).end()
    response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' })
    response.end(JSON.stringify(body))
  }
}

async function readText(request: IncomingMessage, limitBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size <= limitBytes) chunks.push(chunk)
  }
  return size <= limitBytes ? Buffer.concat(chunks).toString('utf8') : undefined
}
