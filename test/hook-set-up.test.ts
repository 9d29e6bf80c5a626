// What a hook is shown as: enough to know which it is, and nothing that may be secret.
import { expect, it } from 'vitest'
import { describeTarget } from '../src/hook-set-up.ts'
import { read } from './config/reading.ts'

it.each([
  ['run: [/usr/local/bin/tell, --json]', 'run /usr/local/bin/tell'],
  ['post: "https://u:p@shop.example:8443/x?key=k"', 'post https://shop.example:8443'],
  ['post: { file: /etc/hook-url }', 'post to the address in the file `/etc/hook-url`'],
  ['post: { env: HOOK_URL }', 'post to the address in the environment variable `HOOK_URL`'],
])('%s is shown as %s', (what, shown) => {
  const { on } = read(
    `wecom: { corpId: ww1, secret: s }\nfolder: { path: /m }\non: [{ event: lost, ${what} }]`,
    { HOOK_URL: 'https://x' },
  )
  expect(on.map(describeTarget)).toEqual([shown])
})
