// Answers for the words when WeCom was not reached, or when something else answered. No message holds a URL, a query, a
// body or a proxy's password: the secret and the token travel in URLs, and gateways like to repeat them.
import { isSystemError, WecomUnreachable } from '../errors.ts'

/** What a message may say about where a call went. */
export interface Target {
  readonly host: string
  /** Host and port of the proxy in between, if there is one. */
  readonly proxyHost: string | undefined
}

const renderTarget = ({ host, proxyHost }: Target): string =>
  proxyHost === undefined ? host : `${host} (through the proxy ${proxyHost})`

/** A socket, DNS or TLS failure, or a call given up, as an error whose code is kept and whose details are not. */
export function createNetworkError(target: Target, error: unknown): WecomUnreachable {
  const code = readCode(error)
  return new WecomUnreachable(`cannot reach WeCom at ${renderTarget(target)}: ${code}`, {
    hint: hintForCode(code),
    // Only errors of system calls: those of parsers and proxies carry raw bytes and full addresses.
    cause: isSystemError(error) ? error : undefined,
  })
}

/** The call was given up by us; `what` says why. */
export const createGivenUpError = (target: Target, what: string): WecomUnreachable =>
  new WecomUnreachable(`cannot reach WeCom at ${renderTarget(target)}: ${what}`, {
    hint: 'check the line, or what stands between this host and WeCom',
  })

/** What a gateway says of one body, while it lets smaller ones through. */
const TOO_LARGE = 413

/** Somebody answered, and it was not WeCom: a proxy, a gateway, or a wrong address. */
export const createForeignAnswerError = (
  target: Target,
  answer: { readonly status: number; readonly what: string; readonly sendsFile?: boolean },
): WecomUnreachable =>
  new WecomUnreachable(
    `cannot use the answer of ${renderTarget(target)}: HTTP ${answer.status}, ${answer.what}`,
    {
      hint: hintForStatus(answer.status),
      status: answer.status,
      // One that says so of a call without a body is ill itself.
      isTooLarge: answer.sendsFile === true && answer.status === TOO_LARGE,
    },
  )

function readCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : 'the connection failed'
}

function hintForCode(code: string): string {
  if (code.startsWith('ERR_PROXY')) return 'check `wecom.proxy` and the password in it'
  if (code.startsWith('HPE_')) return 'what answers there does not speak HTTP; check the address'
  if (code === 'EMFILE' || code === 'ENFILE')
    return 'raise the limit of open files (LimitNOFILE= in the unit, ulimit -n)'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'check DNS and `wecom.baseUrl`'
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return "check this host's clock, and the certificate of what answers there"
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO/.test(code)) {
    return 'if a gateway inspects TLS here, name its authority in NODE_EXTRA_CA_CERTS'
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return 'if it happens on large files only, check the body limit of the proxy in between (nginx: client_max_body_size)'
  }
  return 'check the network, the firewall and `wecom.baseUrl`'
}

function hintForStatus(status: number): string {
  if (status === TOO_LARGE)
    return 'a gateway limits bodies; in nginx set client_max_body_size to 25m'
  if (status === 407) return 'the proxy wants a password; write it into `wecom.proxy`'
  if (status === 404) return 'the path is not known there; check `wecom.baseUrl`'
  if (status >= 300 && status < 400) {
    return 'redirects are not followed, because the address holds the secret; write the final https address into `wecom.baseUrl`'
  }
  return 'a proxy or gateway answered in place of WeCom; look into its log, or wait if it is passing'
}
