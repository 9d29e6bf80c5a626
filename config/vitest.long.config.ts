// The long forms of tests that `npm test` runs in short: minutes to hours each, by hand and before a release. `npm run test:long -- crash` runs one.
import { defineConfig } from 'vitest/config'
import { reportersFor } from './vitest.reporters.ts'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/long/**/*.test.ts'],
    reporters: reportersFor('long'),
    // Their figures are of one run on a machine that does nothing else.
    fileParallelism: false,
    testTimeout: 4 * 60 * 60_000,
    hookTimeout: 60_000,
  },
})
