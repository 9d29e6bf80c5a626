// Tests that need root, systemd and other programs of the system; test/system/run provides them.
import { defineConfig } from 'vitest/config'
import { reportersFor } from './vitest.reporters.ts'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/system/**/*.test.ts'],
    reporters: reportersFor('system'),
    // One machine at a time: watchdogs of a few seconds mind a crowd.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
