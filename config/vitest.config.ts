import { defineConfig } from 'vitest/config'
import { reportersFor } from './vitest.reporters.ts'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    exclude: ['test/system/**', 'test/long/**'],
    reporters: reportersFor('unit'),
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Much of the suite waits: for child processes, for media of forty seconds to live. As many workers as cores waste them.
    maxWorkers: 3,
  },
})
