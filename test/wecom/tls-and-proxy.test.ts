// The way to the service: TLS, and proxies that tunnel it.
import https from 'node:https'
import { expect, test } from 'vitest'
import { aMedium } from '../helpers/memory-wecom.ts'
import { createClient, failureOf, patient, SECRET } from './client.ts'
import { createLoopback, listen, replyJson } from './loopback.ts'
import { cert, createProxy, key } from './secure-way.ts'

async function createSecureWecom() {
  const server = https.createServer({ cert, key }, (request, response) => {
    request.resume()
    const isToken = request.url?.includes('gettoken')
    replyJson(response, isToken ? { access_token: 'T1', expires_in: 7200 } : { media_id: 'M1' })
  })
  return await listen(server)
}

test('a certificate that is trusted is', async () => {
  const port = await createSecureWecom()
  const { wecom } = createClient({ baseUrl: `https://localhost:${port}`, ca: cert })
  expect((await wecom.upload(aMedium(), patient)).mediaId).toBe('M1')
})

test('a certificate that is not says what to do', async () => {
  const port = await createSecureWecom()
  const { wecom } = createClient({ baseUrl: `https://localhost:${port}` })
  const failure = await failureOf(wecom.upload(aMedium(), patient))
  expect(failure.message).toBe(
    `cannot reach WeCom at localhost:${port}: DEPTH_ZERO_SELF_SIGNED_CERT`,
  )
  expect(failure).toMatchObject({ hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') })
})

test('https to what speaks plain http is unreachable', async () => {
  const { baseUrl } = await createLoopback((_request, response) => response.end())
  const { wecom } = createClient({ baseUrl: baseUrl.replace('http:', 'https:') })
  expect(await failureOf(wecom.upload(aMedium(), patient))).toMatchObject({
    code: 'WECOM_UNREACHABLE',
    message: expect.stringMatching(/: (EPROTO|ERR_SSL\w+)$/),
  })
})

test('calls go through the tunnel of a proxy, which sees the host and nothing else', async () => {
  const port = await createSecureWecom()
  const proxy = await createProxy('pass word')
  const { wecom } = createClient({
    baseUrl: `https://localhost:${port}`,
    ca: cert,
    proxy: `http://me:pass%20word@127.0.0.1:${proxy.port}`,
  })
  const bytes = Buffer.alloc(2_000_000, 'x')
  expect((await wecom.upload(aMedium({ bytes }), patient)).mediaId).toBe('M1')
  expect(new Set(proxy.tunnels)).toEqual(new Set([`localhost:${port}`]))
})

test('a proxy that refuses is named without its password', async () => {
  const port = await createSecureWecom()
  const proxy = await createProxy('right')
  const { wecom } = createClient({
    baseUrl: `https://localhost:${port}`,
    ca: cert,
    proxy: `http://me:hunter2@127.0.0.1:${proxy.port}`,
  })
  const failure = await failureOf(wecom.upload(aMedium(), patient))
  expect(failure.message).toBe(
    `cannot reach WeCom at localhost:${port} (through the proxy 127.0.0.1:${proxy.port}): ERR_PROXY_TUNNEL`,
  )
  expect(failure).toMatchObject({ hint: expect.stringContaining('`wecom.proxy`') })
  expect(failure.cause).toBeUndefined()
  for (const secret of ['hunter2', SECRET]) expect(failure.stack).not.toContain(secret)
})

test('a proxy that is not there is named', async () => {
  const { wecom } = createClient({ baseUrl: 'https://wecom.invalid', proxy: 'http://127.0.0.1:9' })
  expect((await failureOf(wecom.upload(aMedium(), patient))).message).toBe(
    'cannot reach WeCom at wecom.invalid (through the proxy 127.0.0.1:9): ECONNREFUSED',
  )
})
