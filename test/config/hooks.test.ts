// What `on:` means in the file, and what cannot hold together there.
import { expect, it } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { problemsOf, REQUIRED, read } from './reading.ts'

const hooks = (text: string) => read(`${REQUIRED}on: ${text}\n`).on

it('fills in what a hook does not say, and calls it after what it does', () => {
  expect(hooks('[{ event: lost, run: [bin/tell, --json] }]')).toEqual([
    {
      name: 'tell',
      happenings: ['lost'],
      match: undefined,
      target: { kind: 'run', run: ['/etc/mirror/bin/tell', '--json'] },
      timeoutMs: 10_000,
      giveUpAfterMs: 86_400_000,
      concurrency: 4,
    },
  ])
})

it('takes a command without a slash from the PATH, and secrets from where they are', () => {
  const [command, request] = hooks(`
  - { event: [landed, lost], run: [tell], match: "a/**", timeout: 1m, giveUpAfter: 1h, concurrency: 1 }
  - { event: first-id, post: { file: url }, token: { env: TOKEN }, secret: { credential: key } }`)
  expect(command).toMatchObject({
    target: { run: ['tell'] },
    match: 'a/**',
    happenings: ['landed', 'lost'],
    timeoutMs: 60_000,
    giveUpAfterMs: 3_600_000,
    concurrency: 1,
  })
  expect(request).toMatchObject({
    name: 'url',
    target: {
      kind: 'post',
      url: { file: '/etc/mirror/url' },
      token: { env: 'TOKEN' },
      secret: { credential: 'key' },
    },
  })
})

it('calls one that posts after its host, and one that has a name by that', () => {
  const [host, named] = hooks(
    '[{ event: lost, post: "https://u:p@h:8443/x?key=k" }, { name: shop, event: lost, run: [x] }]',
  )
  expect([host?.name, named?.name]).toEqual(['h:8443', 'shop'])
})

it.each([
  ['{ event: lost }', '`on[0]` must have one of `run` and `post`'],
  ['{ event: lost, run: [a], post: "https://h" }', '`on[0]` must have one of `run` and `post`'],
  ['{ event: lost, run: [a], token: t }', '`on[0].token` means nothing without `post`'],
  [
    '{ event: lost, run: [a] }, { event: lost, run: [/b/a] }',
    '`on[1]` has the same name as `on[0]`: give it a `name` of its own',
  ],
  [
    '{ event: gone, run: [a] }',
    '`on[0].event`: expected one of `landed`, `first-id`, `changed-id`, `lost`, or a list of them, got `gone`',
  ],
  ['{ event: [], run: [a] }', '`on[0].event`: expected at least one event'],
  ['{ event: lost, run: [] }', '`on[0].run`: expected a command and its arguments'],
  ['{ event: lost, run: [a], retries: 5 }', 'unknown key `retries` in `on[0]`'],
  ['{ event: lost, psot: "https://h" }', 'did you mean `post`?'],
  [
    '{ event: lost, post: { file: /srv/media/url } }',
    '`on[0].post.file` must not lie inside `folder.path`, or the secret would be uploaded',
  ],
])('refuses [%s]', (text, expected) => {
  const problems = () => {
    try {
      hooks(`[${text}]`)
      return ['none']
    } catch (error) {
      return error instanceof ConfigError ? error.problems.map(({ message }) => message) : [error]
    }
  }
  expect(problems()).toEqual(expect.arrayContaining([expect.stringContaining(expected)]))
})

it.each([
  ['places', '{ post: { file: /a/shop } }, { post: { file: /a/till } }', ['shop', 'till']],
  ['variables', '{ post: { env: SHOP } }, { post: { credential: till } }', ['SHOP', 'till']],
  ['hosts', '{ post: "https://h/a" }, { post: "https://h:8443/a" }', ['h', 'h:8443']],
])('tells hooks apart by their %s', (_, text, names) => {
  const written = text.replaceAll('{ post', '{ event: lost, post')
  expect(hooks(`[${written}]`).map(({ name }) => name)).toEqual(names)
})

it.each([
  ['neither of both', '{ psot: "https://g" }, { psot: "https://h" }'],
  ['both', '{ run: [a], post: "https://g" }, { run: [a], post: "https://h" }'],
  ['no address', '{ post: g }, { post: h }'],
  ['no list', '{ run: g }, { run: h }'],
  ['an empty list', '{ run: [] }, { run: [] }'],
  ['no command', '{ run: [5] }, { run: [6] }'],
  ['no name', '{ name: 5, run: [a] }, { name: 6, run: [a] }'],
])('says of what is no hook, as it has %s, only that', (_, text) => {
  const written = text.replaceAll(/\{ (?=psot|run|post|name)/g, '{ event: lost, ')
  const messages = problemsOf(`${REQUIRED}on: [${written}]\n`).map(({ message }) => message)
  expect(messages.filter((message) => message.includes('same name'))).toEqual([])
})

it('takes no more than ten', () => {
  const many = Array.from({ length: 11 }, (_, n) => `{ event: lost, run: [tell${n}] }`).join(', ')
  expect(() => hooks(`[${many}]`)).toThrow('1 problem')
})
