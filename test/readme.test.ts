// The README's promises that a machine can hold it to: its commands exist, its map is the tree, both languages agree.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { COMMANDS } from '../src/cli/commands.ts'
import { EXIT } from '../src/cli/exit-code.ts'
import { parseConfig } from '../src/config/load.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8')
const blocks = (text: string, language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    (match) => match[1] ?? '',
  )

describe.each(['README.md', 'README.zh-CN.md'])('%s', (name) => {
  const text = read(name)

  it('starts with the two commands, and they are scripts of the package', () => {
    const commands = blocks(text, 'sh').map((block) => block.trim())
    expect(commands.slice(0, 2)).toEqual(['npm ci && npm start', 'npm ci && npm test'])
    expect(Object.keys(packageJson.scripts)).toEqual(expect.arrayContaining(['start', 'test']))
  })

  it('shows a configuration that loads', () => {
    const [example = ''] = blocks(text, 'yaml')
    const config = parseConfig(
      { text: example, file: '/etc/wecom-media-mirror/config.yaml', shownAs: 'README' },
      {},
    )
    expect(config.folder.path).toBe('/srv/wecom-media')
  })

  it('lists every command and every exit code', () => {
    for (const command of COMMANDS) expect(text).toContain(`| \`${command.name}`)
    for (const code of Object.values(EXIT)) expect(text).toContain(`| ${code} |`)
  })

  it('has a line for every room of src', () => {
    const rooms = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    )
    const unnamed = rooms
      .map((room) => `\`src/${room.name}\``)
      .filter((room) => !text.includes(room))
    expect(unnamed).toEqual([])
  })
})

it.each(['README.md', 'README.zh-CN.md', 'config/manual.md', 'config/manual.zh-CN.md'])(
  'every link of %s leads somewhere',
  (name) => {
    const links = [...read(name).matchAll(/\]\((?!http)([^)#]+)\)/g)].map((match) => match[1] ?? '')
    expect(links.length).toBeGreaterThan(0)
    const dead = links.filter((link) => !existsSync(join(ROOT, dirname(name), link)))
    expect(dead).toEqual([])
  },
)

it('the manual answers the same questions in both languages', () => {
  const questions = (name: string) => read(name).match(/^## /gm)?.length
  expect(questions('config/manual.zh-CN.md')).toBe(questions('config/manual.md'))
})

it('the README names a reason for every dependency, and none that is not there', () => {
  const table = read('README.md').split('## What it stands on')[1]?.split('## ')[0] ?? ''
  const named = [...table.matchAll(/^\| ([\w-]+) \|/gm)]
    .map((match) => match[1])
    .filter((name) => name !== 'package')
  expect(named.sort()).toEqual(Object.keys(packageJson.dependencies).sort())
})
