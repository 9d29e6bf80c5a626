// The peer: the cron script that every team writes. Walks a folder and uploads each file with fetch and FormData, four at a time.
import { openAsBlob } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'

const [folder = '', baseUrl = ''] = process.argv.slice(2)
const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
const ids: Record<string, string> = {}

async function worker(): Promise<void> {
  for (let file = files.pop(); file; file = files.pop()) {
    const form = new FormData()
    form.append('media', await openAsBlob(file), basename(file))
    const answer = await fetch(`${baseUrl}/cgi-bin/media/upload?access_token=sink&type=file`, {
      method: 'POST',
      body: form,
    })
    ids[file] = ((await answer.json()) as { media_id: string }).media_id
  }
}
await Promise.all([worker(), worker(), worker(), worker()])
