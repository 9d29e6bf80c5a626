// The way to a receiver: what certificates, proxies and redirects make of a telling, and what a person is told to do.
import https from 'node:https'
import { expect, it } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { createPost } from '../../src/hooks/post-request.ts'
import { createLoopback, listen } from '../wecom/loopback.ts'
import { cert, createProxy, key } from '../wecom/secure-way.ts'

const never = new AbortController().signal

const tell = (url: string, env: Record<string, string> = {}) =>
  createPost({ url: new URL(url), token: undefined, secret: undefined, env })(
    Buffer.from('{}\n'),
    never,
  )

const createSecureReceiver = () =>
  listen(https.createServer({ cert, key }, (_, response) => response.end()))

it('says of a certificate that nobody vouches for where to name its authority', async () => {
  const origin = `https://localhost:${await createSecureReceiver()}`
  expect(await tell(`${origin}/CANARY`)).toEqual({
    because: `no answer from ${origin}: DEPTH_ZERO_SELF_SIGNED_CERT`,
    hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
  })
})

it('says of https to what speaks plain http that it may', async () => {
  const { baseUrl } = await createLoopback((_, response) => response.end())
  expect((await tell(baseUrl.replace('http:', 'https:')))?.hint).toContain('plain http')
})

it('does not follow a redirect, and says so', async () => {
  const { baseUrl, received } = await createLoopback((_, response) =>
    response.writeHead(307, { Location: '/elsewhere?key=CANARY' }).end(),
  )
  expect(await tell(`${baseUrl}/here`)).toEqual({
    because: `${baseUrl} answered 307`,
    hint: expect.stringContaining('Redirects are not followed'),
  })
  expect(received.map(({ url }) => url.pathname)).toEqual(['/here'])
})

it.each(['HTTP_PROXY', 'http_proxy', 'ALL_PROXY'])('goes through the proxy of %s', async (name) => {
  const { port, passed } = await createProxy()
  const refusal = await tell('http://shop.invalid/hook', { [name]: `http://127.0.0.1:${port}` })
  expect(refusal?.because).toBe(
    `http://shop.invalid (through the proxy 127.0.0.1:${port}) answered 501`,
  )
  expect(passed).toEqual(['http://shop.invalid/hook'])
})

it('goes to https through its tunnel, which sees the host and nothing else', async () => {
  const { port, tunnels } = await createProxy('right')
  const receiver = await createSecureReceiver()
  const to = (password: string) =>
    tell(`https://shop.invalid:${receiver}/CANARY`, {
      HTTPS_PROXY: `http://me:${password}@127.0.0.1:${port}`,
    })
  // The receiver itself has been reached: it is its certificate that is objected to.
  expect((await to('right'))?.because).toContain('DEPTH_ZERO_SELF_SIGNED_CERT')
  expect(tunnels).toEqual([`shop.invalid:${receiver}`])
  expect(await to('hunter2')).toEqual({
    because: `no answer from https://shop.invalid:${receiver} (through the proxy 127.0.0.1:${port}): ERR_PROXY_TUNNEL`,
    hint: expect.stringContaining('HTTPS_PROXY'),
  })
})

it('goes past the proxy to this machine, and to what NO_PROXY names', async () => {
  const { port, passed } = await createProxy()
  const { baseUrl } = await createLoopback((_, response) => response.end())
  const proxy = `http://127.0.0.1:${port}`
  expect(await tell(baseUrl, { HTTP_PROXY: proxy })).toBeUndefined()
  const refusal = await tell('http://shop.invalid', { HTTP_PROXY: proxy, NO_PROXY: '.invalid' })
  expect(refusal?.because).toMatch(/^no answer from http:\/\/shop\.invalid: E/)
  expect(passed).toEqual([])
})

it('objects to a proxy that it cannot use, instead of going past it', () => {
  expect(() => tell('https://shop.invalid', { ALL_PROXY: 'socks5://hunter2@p:1' })).toThrow(
    ConfigError,
  )
})
