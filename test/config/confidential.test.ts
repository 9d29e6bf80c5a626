import fc from 'fast-check'
import { expect, it } from 'vitest'
import { renderConfigError } from '../../src/config/render-config-error.ts'
import { REQUIRED, refusal } from './reading.ts'

const CANARY = 'c4n4ry'

/** Everything a refusal says, to whoever prints, logs or serialises it. */
function everythingSaid(text: string): string {
  const error = refusal(text)
  const { stack, ...fields } = error
  return [
    renderConfigError(error),
    error.message,
    stack,
    JSON.stringify(fields),
    String(error.cause),
  ].join('\n')
}

it.each([
  // the secret itself is wrong
  'wecom: { corpId: 1, secret: "CANARY x" }',
  'wecom: { corpId: 1, secret: [CANARY] }',
  'wecom: { corpId: 1, secret: { text: CANARY } }',
  'wecom: { corpId: 1, secret: { CANARY } }',
  'wecom: { corpId: 1, secret: { CANARY: x } }',
  'wecom: { corpId: 1, secret: { env: CANARY-1 } }',
  'wecom: { corpId: 1, secret: { file: [CANARY] } }',
  'wecom: { corpId: 1, secret: { file: x, env: CANARY } }',
  'callback: { token: CANARY-CANARY, encodingAesKey: CANARY }',
  'callback: { token: 汉CANARY, encodingAesKey: { a: CANARY } }',
  'http: { listen: 1, token: "CANARY CANARY" }',
  'on: [{ event: lost, post: "ftp://CANARY" }]',
  'on: [{ event: lost, post: "https://h/?key=CANARY CANARY" }]',
  'on: [{ event: lost, post: [CANARY] }]',
  'on: [{ event: lost, post: "https://h/", token: "CANARY x" }]',
  'on: [{ event: lost, post: "https://h/", secret: { env: CANARY-1 } }]',
  'on: [{ event: lost, run: [a], secret: CANARY, token: CANARY }]',
  // the secret is right, something else is not
  'on: [{ event: gone, post: "https://h/?CANARY" }]',
  'on: [{ event: lost, run: [a], post: "https://CANARY/" }]',
  'on: [{ event: lost, post: "https://h/CANARY" }, { event: lost, post: "https://h/CANARY" }]',
  'wecom: { corpId: 1, secret: CANARY }',
  'callback: { token: CANARY, encodingAesKey: CANARY, listen: x }',
  // the key before it got lost or misspelt
  'wecom: { corpId: ww1, secret:CANARY }',
  'wecom: { corpId: ww1, CANARY }',
  'wecom: { corpId: ww1, secert: CANARY }',
  'wecom:\n  secret:CANARY\n',
  'on: [{ event: lost, psot: "https://h/CANARY" }]',
  'on:\n  - event: lost\n    post:https://h/CANARY\n',
  'wecom:\n  corpId: ww1\n  secret:CANARY\n',
  'wecom:\n  corpId: ww1\n    secret CANARY\n',
  'wecom: CANARY',
  'callback: CANARY',
  // YAML stumbles over it
  'wecom: { corpId: ww1, secret: *CANARY }',
  'wecom: { corpId: ww1, secret: &CANARY }',
  'wecom: { corpId: ww1, secret: !CANARY x }',
  'wecom: { corpId: ww1, secret: @CANARY }',
  'wecom: { corpId: ww1, secret: %CANARY }',
  'wecom: { corpId: ww1, secret: "\\CANARY" }',
  'wecom: { corpId: ww1, secret: "CANARY }',
  'wecom: { corpId: ww1, secret: CANARY: x }',
  'wecom:\n  corpId: ww1\n secret: CANARY\n',
  'wecom: { corpId: ww1, secret: CANARY }\nwecom: { corpId: ww1, secret: CANARY }',
  '{{CANARY}}: 1',
  '- CANARY',
  'CANARY',
  '---\na: 1\n---\nCANARY',
  // addresses hold passwords
  'wecom: { corpId: ww1, secret: s, proxy: "socks5://u:CANARY@h" }',
  'wecom: { corpId: ww1, secret: s, baseUrl: "https://u:CANARY@h" }',
  'state: postgres://u:CANARY@h/d',
])('is silent about the secret in %j', (text) => {
  expect(everythingSaid(text.replaceAll('CANARY', CANARY))).not.toContain(CANARY)
})

it('is silent about any secret, wherever YAML stumbles', () => {
  const before = fc.constantFrom(
    '',
    '"',
    "'",
    '[',
    '{',
    '*',
    '&',
    '!',
    '%',
    '@',
    '- ',
    '? ',
    '|\n',
    '\\',
    'a: ',
    '汉',
  )
  fc.assert(
    fc.property(before, before, fc.constantFrom(':', ': '), (open, close, colon) => {
      const text = `${REQUIRED}callback:\n  listen: 5\n  token${colon}${open}${CANARY}${close}\n`
      expect(everythingSaid(text)).not.toContain(CANARY)
    }),
    { numRuns: 300 },
  )
})
