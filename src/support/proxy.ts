// Answers for which proxy is used, if any: from the configuration, else from the usual environment variables. Node's own
// agents do the speaking (`proxyEnv`); this decides what they are told.
import { ConfigError } from '../errors.ts'

export interface ProxySettings {
  readonly HTTP_PROXY?: string
  readonly HTTPS_PROXY?: string
  readonly NO_PROXY?: string
}

export type Environment = Readonly<Record<string, string | undefined>>

/** What to tell Node's agents, or undefined for no proxy. A configured proxy always wins; loopback needs none otherwise. */
export function chooseProxy(choice: {
  readonly configured: string | undefined
  readonly environment: Environment
  readonly baseUrl: string
}): ProxySettings | undefined {
  if (choice.configured !== undefined) {
    const proxy = checkProxy(choice.configured, 'wecom.proxy')
    return { HTTP_PROXY: proxy, HTTPS_PROXY: proxy }
  }
  const { protocol, hostname } = new URL(choice.baseUrl)
  if (isLoopback(hostname)) return undefined
  const scheme = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  for (const name of [scheme, 'ALL_PROXY'] as const) {
    const proxy = readVariable(choice.environment, name)
    if (proxy === undefined) continue
    const noProxy = readVariable(choice.environment, 'NO_PROXY')
    return {
      [scheme]: checkProxy(proxy, `the environment variable ${name}`),
      ...(noProxy === undefined ? {} : { NO_PROXY: noProxy }),
    }
  }
  return undefined
}

const readVariable = (environment: Environment, name: string): string | undefined =>
  environment[name.toLowerCase()] || environment[name] || undefined

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)

/** Node ignores what it cannot use and connects directly, from an address that WeCom may not trust: so this objects. */
function checkProxy(text: string, origin: string): string {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (url && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname) {
    return url.href
  }
  // The text is not repeated: it may hold a password.
  throw new ConfigError(
    `cannot use the proxy of ${origin}: it is not an http:// or https:// address`,
    [],
    { hint: 'SOCKS proxies are not supported; write it as http://host:port' },
  )
}
