// Inside the folder whatever links do: those that stand there, and those that another process swaps in while we work.
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { FileUnreadable } from '../../src/errors.ts'
import { createKindPolicy } from '../../src/media/kind.ts'
import { WECOM_LIMITS } from '../../src/media/limits.ts'
import { withDirectory } from '../../src/transfer/inside.ts'
import { readMedium } from '../../src/transfer/medium.ts'
import { findObstacle, placeFile, removeFile } from '../../src/transfer/place.ts'
import { aPath } from '../helpers/builders.ts'
import { swapForLink } from '../helpers/link-swapper.ts'
import { plant } from '../helpers/tree.ts'
import { failureOf } from '../wecom/client.ts'

const policy = createKindPolicy({ limits: WECOM_LIMITS, downgrade: true, rules: [] })
const OURS = 'the content of the folder'
const CANARY = 'what lies outside of the folder'

/** A folder with a directory in it, and a place outside that has the same names. */
async function setUp() {
  const site = await realpath(await mkdtemp(join(tmpdir(), 'inside-')))
  onTestFinished(() => rm(site, { recursive: true, force: true }))
  const [root, outside] = [join(site, 'folder'), join(site, 'outside')]
  const names = ['a.txt', 'b.txt', 'sub/a.txt']
  for (const place of [join(root, 'd'), outside])
    plant(place, Object.fromEntries(names.map((name) => [name, place === outside ? CANARY : OURS])))
  return {
    root,
    outside,
    read: async (path: string) => {
      const medium = await readMedium(root, aPath(path), policy)
      await medium?.close()
      return medium && String(medium.content)
    },
    async place(path: string) {
      const file = join(root, '.unfinished')
      await writeFile(file, 'a newcomer')
      return placeFile(root, file, aPath(path))
    },
    remove: (path: string) => removeFile(root, aPath(path)),
    async expectUntouched() {
      expect((await readdir(outside, { recursive: true })).sort()).toEqual([
        'a.txt',
        'b.txt',
        'sub',
        'sub/a.txt',
      ])
      for (const name of names) expect(await readFile(join(outside, name), 'utf8')).toBe(CANARY)
    },
  }
}

it.each(['link', 'link/sub'])(
  'reads, writes and deletes nothing through `%s`',
  async (directory) => {
    const { root, outside, read, place, remove, expectUntouched } = await setUp()
    await symlink(outside, join(root, 'link'))
    const path = `${directory}/a.txt`
    for (const deed of [read(path), remove(path)]) {
      const failure = await failureOf(deed)
      expect(failure).toBeInstanceOf(FileUnreadable)
      expect(failure.message).toMatch(
        /^cannot (read|delete) `link.*`: a symbolic link leads it out/,
      )
    }
    expect((await failureOf(place(`${directory}/new/c.txt`))).message).toContain('leads it out')
    await expectUntouched()
  },
)

it('reads nothing through a file that is a link', async () => {
  const { root, outside, read, remove, expectUntouched } = await setUp()
  await symlink(join(outside, 'a.txt'), join(root, 'link.txt'))
  expect(await failureOf(read('link.txt'))).toBeInstanceOf(FileUnreadable)
  // It is the link that has the path.
  await remove('link.txt')
  await expectUntouched()
})

it.each(['nowhere', 'loop'])('says that a link leads to no directory: %s', async (target) => {
  const { root, place } = await setUp()
  await symlink(target, join(root, 'loop'))
  const said = 'cannot write `loop/a.txt`: the symbolic link `loop` leads to no directory'
  expect((await findObstacle(root, aPath('loop/a.txt')))?.message).toBe(said)
  expect((await failureOf(place('loop/a.txt'))).message).toBe(said)
})

it('stays in a directory that is moved away while it is held', async () => {
  const { root, outside, expectUntouched } = await setUp()
  await withDirectory(root, 'd', async ({ at }) => {
    await mkdir(join(root, 'e'))
    await rm(join(root, 'd'), { recursive: true })
    await symlink(outside, join(root, 'd'))
    await expect(writeFile(at('a.txt'), 'ours')).rejects.toThrow('ENOENT')
  })
  await expectUntouched()
})

it('is not led outside by a link that takes the place of a directory while it works', async () => {
  const { root, outside, read, place, remove, expectUntouched } = await setUp()
  const stop = await swapForLink(join(root, 'd'), outside)
  const outcomes = { read: 0, placed: 0, obstructed: 0, absent: 0 }
  const attempt = async (deed: () => Promise<unknown>) => {
    try {
      const result = await deed()
      if (typeof result === 'string') {
        expect(result).not.toBe(CANARY)
        outcomes.read++
      } else if (result === true) outcomes.placed++
      else outcomes.absent++
    } catch (error) {
      // A directory that comes and goes under our hands is no more than a failure.
      if (!/symbolic link|ENOENT|ENOTDIR|ENOTEMPTY/.test(String(error))) throw error
      outcomes.obstructed++
    }
  }
  // Until the attack has met the work, and the work went on in spite of it: two cores may fall into step for a while.
  const isMet = () => Math.min(outcomes.read, outcomes.placed, outcomes.obstructed) > 0
  for (let round = 0; round < 120 || (!isMet() && round < 20_000); round++) {
    await attempt(() => read('d/a.txt'))
    await attempt(() => read('d/sub/a.txt'))
    await attempt(() => place(`d/new-${round}/c.txt`))
    await attempt(() => place(`d/c-${round}.txt`))
    await attempt(() => remove('d/b.txt'))
  }
  await stop()
  await expectUntouched()
  expect(isMet()).toBe(true)
}, 60_000)
