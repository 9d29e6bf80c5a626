// Answers for the local interface: JSON under /v1 from the desk, and nothing that the desk does not say. Long answers are
// streamed as one JSON object a line. What the wire needs (socket, limits) is server.ts's.
import { z } from 'zod'
import { type Desk, MOST_PULLED, type PullAnswer, type PullWish } from './desk.ts'
import { isGlob } from './reader-desk.ts'

export interface Request {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: unknown
  readonly signal: AbortSignal
}

export type Reply =
  | { readonly status: number; readonly json: unknown }
  /** Calls `line` for each object until it resolves; the last one is the outcome. */
  | { readonly status: 200; stream(line: (value: unknown) => void): Promise<void> }

const PullBody = z
  .strictObject({
    /** One, answered when it is decided … */
    media_id: z.string().optional(),
    /** … or many, each told on a line of its own. */
    media_ids: z.array(z.string()).min(1).max(MOST_PULLED).optional(),
    path: z.string().optional(),
    hd: z.boolean().default(false),
  })
  .refine(
    ({ media_id, media_ids }) => (media_id === undefined) !== (media_ids === undefined),
    'say either `media_id` or `media_ids`',
  )
const ForgetBody = z.strictObject({
  paths: z.array(z.string()),
  delete_file: z.boolean().default(false),
  vanished: z.boolean().default(false),
})

const PassBody = z.strictObject({ restore_vanished: z.boolean().default(false) })

type Route = (desk: Desk, request: Request) => Promise<Reply>

const ok = (json: unknown): Reply => ({ status: 200, json })
const failure = (status: number, code: string, message: string): Reply => ({
  status,
  json: { error: { code, message } },
})

/** The caller asked for what cannot be. */
export const badRequest = (message: string): Reply => failure(400, 'BAD_REQUEST', message)

const ROUTES: Readonly<Record<string, Route>> = {
  'GET /healthz': async () => ok({ alive: true }),
  'GET /v1/status': async (desk) => ok(await desk.status()),
  'GET /v1/media': async (desk, { query }) => {
    const glob = query.get('glob') ?? undefined
    if (glob !== undefined && !isGlob(glob))
      return badRequest('`glob` is empty or too long; leave it out for everything')
    return ok(await desk.list(glob))
  },
  'GET /v1/references': async (desk) => ok(await desk.references()),
  'GET /v1/plan': async (desk) => ok(await desk.plan()),
  'POST /v1/passes': async (desk, { body, signal }) => {
    const wanted = PassBody.safeParse(body ?? {})
    if (!wanted.success) return badRequest(z.prettifyError(wanted.error))
    const options = { restoreVanished: wanted.data.restore_vanished }
    return {
      status: 200,
      async stream(line) {
        const outcome = await desk.mirror((progress) => line({ progress }), signal, options)
        line({ outcome })
      },
    }
  },
  'POST /v1/references': async (desk, { body, signal }) => {
    const wanted = PullBody.safeParse(body)
    if (!wanted.success) return badRequest(z.prettifyError(wanted.error))
    const { media_id, media_ids, path: to, hd: isHd } = wanted.data
    if (media_id !== undefined)
      return ok(await pullOne(desk, { mediaIds: [media_id], to, isHd }, signal))
    return {
      status: 200,
      async stream(line) {
        await desk.pull({ mediaIds: media_ids ?? [], to, isHd }, line, signal)
        line({ outcome: {} })
      },
    }
  },
  'POST /v1/forget': async (desk, { body }) => {
    const wanted = ForgetBody.safeParse(body)
    if (!wanted.success) return badRequest(z.prettifyError(wanted.error))
    const { paths, delete_file: deleteFile, vanished } = wanted.data
    return ok(await desk.forget(paths, { deleteFile, vanished }))
  },
}

async function pullOne(
  desk: Desk,
  wish: PullWish,
  signal: AbortSignal,
): Promise<PullAnswer | undefined> {
  let answer: PullAnswer | undefined
  const hear: Parameters<Desk['pull']>[1] = (told) => {
    if ('answer' in told) answer = told.answer
  }
  await desk.pull(wish, hear, signal)
  return answer
}

const MEDIA_PREFIX = '/v1/media/'

/** The answer to one request; every path that is not a route is a 404 in the same form. */
export async function answer(desk: Desk, request: Request): Promise<Reply> {
  const route = ROUTES[`${request.method} ${request.path}`]
  if (route) return route(desk, request)
  if (request.method === 'GET' && request.path.startsWith(MEDIA_PREFIX))
    return answerLookUp(desk, request.path)
  return failure(404, 'NO_SUCH_ROUTE', `there is no ${request.method} ${request.path}`)
}

async function answerLookUp(desk: Desk, path: string): Promise<Reply> {
  const encoded = path.slice(MEDIA_PREFIX.length)
  let decoded: string
  try {
    decoded = decodeURIComponent(encoded)
  } catch {
    return badRequest(`\`${encoded}\` is not percent-encoded UTF-8`)
  }
  const found = await desk.lookUp(decoded)
  return { status: { live: 200, 'not-live': 409, unknown: 404 }[found.kind], json: found }
}
