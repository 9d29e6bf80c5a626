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

/** Whether two servers would get in each other's way; a name is not looked up, so another name for the same host is found at start. */
export function overlap(one: ListenAddress, other: ListenAddress): boolean {
  if (one.kind === 'unix') return other.kind === 'unix' && one.path === other.path
  if (other.kind === 'unix') return false
  // Port 0 is any that is free.
  if (one.port !== other.port || one.port === 0) return false
  const isAny = ({ host }: { host: string }) => /^(0(\.0){3}|::)$/.test(host)
  return (
    one.host === other.host || isAny(one) || isAny(other) || (isPrivate(one) && isPrivate(other))
  )
}
