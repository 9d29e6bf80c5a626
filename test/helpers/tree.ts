import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Writes files below a folder, with the directories they need; a number is a file of so many bytes. */
export function plant(folder: string, files: Record<string, string | number>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(
      join(folder, path),
      typeof content === 'number' ? Buffer.alloc(content, 'x') : content,
    )
  }
}

/** Sets a file's mtime, by default so far back that it counts as standing still. */
export function age(file: string, modifiedAtMs = Date.UTC(2020, 0, 1)): void {
  utimesSync(file, modifiedAtMs / 1000, modifiedAtMs / 1000)
}

/** The path of an entry whose name is these bytes. */
export const rawPath = (folder: string, ...name: (string | number)[]): Buffer =>
  Buffer.concat([
    Buffer.from(`${folder}/`),
    ...name.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))),
  ])
