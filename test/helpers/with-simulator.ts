import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts'
import type { Clock } from '../../src/support/clock.ts'
import { createFakeClock, type FakeClock } from './fake-clock.ts'

export interface RunningSimulator<C extends Clock = FakeClock> {
  readonly baseUrl: string
  readonly controls: Simulator['controls']
  /** The service's clock: a fake one, unless the options brought their own. */
  readonly clock: C
  readonly directory: string
  readonly simulator: Simulator
}

type Wish<C extends Clock> = SimulatorOptions & { clock?: C; directory?: string; port?: number }

/** A running WeCom on a free port, with a directory of its own, that is stopped when the test is over. */
export async function withSimulator<C extends Clock = FakeClock>(
  wish: Wish<C> = {},
): Promise<RunningSimulator<C>> {
  const { clock = createFakeClock() as Clock as C, directory, port, ...options } = wish
  const kept = directory ?? (await mkdtemp(join(tmpdir(), 'wecom-')))
  const broken: unknown[] = []
  const report = (error: unknown) => void broken.push(error)
  const simulator = createSimulator({ clock, directory: kept, report, ...options })
  const { baseUrl } = await simulator.start(port === undefined ? {} : { port })
  onTestFinished(async () => {
    await simulator.stop()
    if (directory === undefined) await rm(kept, { recursive: true, force: true })
    // What broke inside the simulator fails the test that caused it.
    if (broken.length > 0) throw new AggregateError(broken, 'the simulator itself failed')
  })
  return { baseUrl, controls: simulator.controls, clock, directory: kept, simulator }
}
