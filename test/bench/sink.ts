// A WeCom that takes everything and keeps nothing, as fast as a socket can: what uploads are measured against.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

let count = 0
const server = createServer((request, response) => {
  const answer = (body: object) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  if (request.url?.startsWith('/cgi-bin/gettoken'))
    return answer({ errcode: 0, errmsg: 'ok', access_token: 'sink', expires_in: 7200 })
  request.resume().once('end', () => {
    const media_id = `sink_${(count++).toString(36).padStart(40, '0')}`
    answer({
      errcode: 0,
      errmsg: 'ok',
      type: 'file',
      media_id,
      created_at: `${Math.floor(Date.now() / 1000)}`,
    })
  })
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
