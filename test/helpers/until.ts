/** Longer than anything here takes on a loaded machine; only a test that fails waits for it. */
const PATIENCE_MS = 10_000

/** Waits for what the operating system tells in its own time; `meanwhile` runs between two looks. */
export async function until(
  isSo: () => boolean,
  {
    what = 'it',
    meanwhile,
    withinMs = PATIENCE_MS,
  }: { what?: string; meanwhile?: () => Promise<void>; withinMs?: number } = {},
): Promise<void> {
  const startedAt = performance.now()
  while (!isSo()) {
    if (performance.now() - startedAt > withinMs) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
    await meanwhile?.()
  }
}
