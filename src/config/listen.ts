// Answers for addresses to listen on: `127.0.0.1:8787`, `[::1]:8787`, `unix:/run/…/http.sock`.

export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

/** The form of an address; the host is asked for, because none would mean every interface without saying so. */
export const LISTEN_PATTERN = /^(?:unix:(.+)|(?:\[([\da-fA-F:.]+)\]|([\w.-]+)):(\d{1,5}))$/

export function parseListen(text: string): ListenAddress | undefined {
  const [, path, ipv6, host = ipv6, port] = LISTEN_PATTERN.exec(text) ?? []
  if (path !== undefined) return { kind: 'unix', path }
  if (host === undefined || Number(port) > 65_535) return undefined
  return { kind: 'tcp', host, port: Number(port) }
}

/** Whether only this machine can connect: what may go without a token. */
export const isPrivate = (address: ListenAddress): boolean =>
  address.kind === 'unix' || /^(localhost|127(\.\d+){3}|::1)$/.test(address.host)
