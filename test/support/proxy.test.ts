import { expect, test } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { chooseProxy } from '../../src/support/proxy.ts'

const wecom = 'https://qyapi.weixin.qq.com'
const choose = (environment: Record<string, string>, baseUrl = wecom, configured?: string) =>
  chooseProxy({ configured, environment, baseUrl })

test('a configured proxy wins over the environment, also on the way to loopback', () => {
  const both = { HTTP_PROXY: 'http://mine:1/', HTTPS_PROXY: 'http://mine:1/' }
  const environment = { HTTPS_PROXY: 'http://theirs:2', NO_PROXY: '*' }
  expect(choose(environment, wecom, 'http://mine:1')).toEqual(both)
  expect(choose({}, 'http://127.0.0.1:9', 'mine:1')).toEqual(both)
})

test.each([
  [{ HTTPS_PROXY: 'http://p:1' }, { HTTPS_PROXY: 'http://p:1/' }],
  [{ https_proxy: 'http://low:1', HTTPS_PROXY: 'http://p:1' }, { HTTPS_PROXY: 'http://low:1/' }],
  [{ ALL_PROXY: 'p:1' }, { HTTPS_PROXY: 'http://p:1/' }],
  [{ ALL_PROXY: 'http://all:1', HTTPS_PROXY: 'http://p:1' }, { HTTPS_PROXY: 'http://p:1/' }],
  [
    { HTTPS_PROXY: 'http://p:1', no_proxy: 'a' },
    { HTTPS_PROXY: 'http://p:1/', NO_PROXY: 'a' },
  ],
  [{ HTTP_PROXY: 'http://p:1' }, undefined],
  [{ HTTPS_PROXY: '' }, undefined],
  [{}, undefined],
])('on the way to WeCom the environment %j means %j', (environment, settings) => {
  expect(choose(environment as Record<string, string>)).toEqual(settings)
})

test('the environment is not asked on the way to loopback, where the simulator lives', () => {
  const environment = { HTTP_PROXY: 'http://p:1', ALL_PROXY: 'http://p:1' }
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '127.1.2.3']) {
    expect(choose(environment, `http://${host}:1234`)).toBeUndefined()
  }
  expect(choose(environment, 'http://10.0.0.1')).toEqual({ HTTP_PROXY: 'http://p:1/' })
})

test.each(['socks5://user:hunter2@p:1', 'http://', 'not a url'])(
  'the proxy %j is objected to, without repeating it',
  (proxy) => {
    const object = () => choose({ ALL_PROXY: proxy })
    expect(object).toThrow(ConfigError)
    expect(object).toThrow(/^cannot use the proxy of the environment variable ALL_PROXY: it is not/)
  },
)
