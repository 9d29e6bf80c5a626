// What stands on the way to a service: a certificate of its own, and a proxy that tunnels.
import { readFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { listen } from './loopback.ts'

const fileOf = (name: string) => fileURLToPath(new URL(`tls/loopback-${name}.pem`, import.meta.url))
export const CERT_FILE = fileOf('cert')
/** Made for these tests, valid for loopback and for a hundred years, trusted by nobody else. */
export const cert = readFileSync(CERT_FILE, 'utf8')
export const key = readFileSync(fileOf('key'), 'utf8')

/** A proxy that tunnels, unless it asks for a password and gets none; what it is asked to pass on itself it refuses. */
export async function createProxy(password?: string) {
  const tunnels: string[] = []
  const passed: string[] = []
  const server = http.createServer((request, response) => {
    passed.push(request.url ?? '')
    response.writeHead(501).end()
  })
  const expected = password && `Basic ${Buffer.from(`me:${password}`).toString('base64')}`
  server.on('connect', (request: http.IncomingMessage, client: net.Socket) => {
    tunnels.push(request.url ?? '')
    if (expected && request.headers['proxy-authorization'] !== expected) {
      return client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    }
    const { port } = new URL(`http://${request.url}`)
    const upstream = net.connect(Number(port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      client.pipe(upstream).pipe(client)
    })
    upstream.on('error', () => client.destroy())
    client.on('error', () => upstream.destroy())
    return client
  })
  return { port: await listen(server), tunnels, passed }
}
