import type { Desk, PullAnswer, PullTold, PullWish } from '../../src/serve/desk.ts'

const NEVER = new AbortController().signal

/** The answers, in the order in which they were told. */
export async function pullAll(
  desk: Pick<Desk, 'pull'>,
  wish: Partial<PullWish> & Pick<PullWish, 'mediaIds'>,
  signal: AbortSignal = NEVER,
): Promise<PullAnswer[]> {
  const answers: PullAnswer[] = []
  const hear = (told: PullTold) => {
    if ('answer' in told) answers.push(told.answer)
  }
  await desk.pull({ isHd: false, ...wish }, hear, signal)
  return answers
}

/** What one id is answered with. */
export async function pullOne(
  desk: Pick<Desk, 'pull'>,
  mediaId: string,
  to?: string,
  signal: AbortSignal = NEVER,
): Promise<PullAnswer> {
  const [answer] = await pullAll(desk, { mediaIds: [mediaId], to }, signal)
  if (!answer) throw new Error(`no answer to a pull of ${mediaId}`)
  return answer
}
