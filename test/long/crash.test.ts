// The long form of test/crash/crash.test.ts: half of the deaths at labelled points, half at any moment. ROUNDS=100 makes it that many.
import { randomInt } from 'node:crypto'
import { expect, it } from 'vitest'
import { planDeaths } from '../crash/deaths.ts'
import { crash } from '../crash/rounds.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 500)

it(`keeps every promise through ${ROUNDS} deaths`, async () => {
  const seed = randomInt(2 ** 31)
  const startedAtMs = performance.now()
  const figures = await crash(seed, (chance) => planDeaths(ROUNDS, chance))
  const { deaths, missed, contents, uploads, references, ids, tellings, repeated } = figures
  const minutes = ((performance.now() - startedAtMs) / 60_000).toFixed(1)
  console.log(
    `seed ${seed}: ${deaths} deaths in ${minutes} min; ${contents} contents in ${uploads} uploads ` +
      `(${(uploads / contents).toFixed(3)}), ${references} references, ${ids} ids handed out, ` +
      `${tellings} tellings, ${repeated} of them again`,
  )
  expect(missed, `seed ${seed}`).toEqual([])
  expect(uploads / contents, `seed ${seed}`).toBeLessThanOrEqual(1.1)
})
