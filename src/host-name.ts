// Answers for what this host is called in the versions of media: a name that no other mirror has, and that stays. One that is lost is
// drawn anew, which costs nothing but that changes made under the old name count as those of another host.
import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { Emit } from './support/events.ts'
import { createHintWriter, readHint } from './support/hint-file.ts'

const FILE = 'host.json'

const HostName = z.object({ drawn: z.string().regex(/^[a-z0-9]{8,32}$/) })

/** A state directory that was copied to another machine makes another name there. */
export async function readHostName(
  stateDirectory: string,
  { random, emit }: { random: () => number; emit: Emit },
): Promise<string> {
  const path = join(stateDirectory, FILE)
  const known = await readHint(path, HostName)
  const drawn = known?.drawn ?? draw(random)
  if (!known)
    await createHintWriter<z.infer<typeof HostName>>({ path, isFlushed: true, emit })({ drawn })
  return createHash('sha256').update(`${drawn}\n${hostname()}`).digest('hex').slice(0, 8)
}

const draw = (random: () => number): string =>
  Array.from({ length: 16 }, () => Math.floor(random() * 36).toString(36)).join('')
