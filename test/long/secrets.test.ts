// Every trouble at every call, with a canary in every secret: see test/e2e/canaries.ts.
import { it } from 'vitest'
import { runWithCanaries } from '../e2e/canaries.ts'
import { TROUBLE_NAMES } from '../helpers/echoing-gateway.ts'

it('no secret is anywhere, whichever call meets whichever trouble', async () => {
  await runWithCanaries({ gettoken: TROUBLE_NAMES, upload: TROUBLE_NAMES, get: TROUBLE_NAMES })
})
