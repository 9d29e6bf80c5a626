// Whether a hook was told everything that happened to the media, at least once, and of each path in its order: by what its receiver
// has heard through all lives. Asked when nothing waits to be told.
import type { ManifestEntry } from '../../src/media/media.ts'
import type { Told } from '../helpers/receiver.ts'
import type { Accounts } from './ledger.ts'
import type { Scene } from './verdict.ts'

type Entry = Pick<ManifestEntry, 'path' | 'mediaId' | 'origin'>

export async function* judgeTellings(
  { everHandedOut }: Accounts,
  { manifest, told }: Pick<Scene, 'manifest' | 'told'>,
) {
  const stories = Map.groupBy(told, ({ path }) => path ?? '')
  for (const [path, story] of stories) yield* judgeStory(path, story)
  for await (const entry of manifest.entries())
    if (isWanting(entry, stories.get(entry.path)))
      yield `the hook was not told of the id of ${entry.path}`
  const landed = new Set(told.map(({ reference }) => reference?.media_id))
  for await (const { mediaId, state } of manifest.references())
    if (state === 'landed' && !landed.has(mediaId))
      yield `the hook was not told that ${mediaId} landed`
  const ids = new Set(told.map(({ media_id }) => media_id))
  for (const mediaId of everHandedOut)
    if (!ids.has(mediaId)) yield `the hook was not told of ${mediaId}, which was handed out`
}

/** Of what was pulled nobody knows the age of its id, so it is told of without. */
const isWanting = ({ mediaId, origin }: Entry, story: readonly Told[] = []): boolean =>
  story.at(-1)?.media_id !== (origin === 'reference' ? null : mediaId)

/** A death repeats what was just being told; apart from that each telling goes on from the one before. */
function* judgeStory(path: string, story: readonly Told[]) {
  let before: Told | undefined
  for (const telling of story) {
    if (telling.id === before?.id) {
      if (telling.media_id !== before.media_id)
        yield `${path}: ${telling.id} was told again with another id`
      continue
    }
    if (before && telling.id < before.id) yield `${path}: ${telling.id} was told after ${before.id}`
    if (telling.event === 'lost') yield `${path}: it was told to be lost`
    if (telling.event === 'first-id' && before) yield `${path}: told twice to have its first id`
    if (telling.event === 'changed-id' && telling.old_media_id !== before?.media_id)
      yield `${path}: nothing was told between ${before?.media_id} and ${telling.media_id}`
    before = telling
  }
}
