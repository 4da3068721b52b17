import { connect } from 'node:net'

const head = 'Host: x\r\nContent-Type: application/json\r\n'

/** Requests that are none, or that two readers would read in two ways. */
const requests: readonly string[] = [
  '\r\n\r\n\r\n\0\0\0',
  'GET\r\n\r\n',
  'GET / HTTP/9.9\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  `POST /v1/ask HTTP/1.1\r\n${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
  `POST /v1/ask HTTP/1.1\r\n${head}Content-Length: -1\r\n\r\n{}`,
  `POST /v1/ask HTTP/1.1\r\n${head}Content-Length: 99999999999999999999\r\n\r\n{}`,
  `POST /v1/ask HTTP/1.1\r\n${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  `POST /v1/ask HTTP/1.1\r\n${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  `POST /slack/events HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
  `POST /github/webhooks HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n`,
  `POST /api/messages HTTP/1.1\r\n${head}Transfer-Encoding: xchunked\r\n\r\n{}`,
  `GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n`,
  `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Odd: a\0b\r\n\r\n`,
  `GET /healthz HTTP/1.1\r\nHost: x\nX: y\n\n`,
  `GET /healthz HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n`,
  `GET ${'/a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  `GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n`,
  `GET //%00//..%2f..%2fetc/passwd HTTP/1.1\r\nHost: x\r\n\r\n`,
  `GET /v1/answers/%E0%A4%A HTTP/1.1\r\nHost: x\r\n\r\n`,
  `CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n`,
  `GET /healthz HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
  `GET /v1/ask HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n`,
  `TRACE / HTTP/1.1\r\nHost: x\r\n\r\n`,
  `POST /v1/ask HTTP/1.1\r\n${head}Content-Length: 50\r\n\r\n{"question":`,
]

/** Sends each to each root on a connection of its own, and ends its side. @returns which got something else than an answer below 500 or an end */
export async function breakFraming(roots: string[]): Promise<{ sent: number; wrong: string[] }> {
  const wrong: string[] = []
  for (const root of roots) {
    for (const request of requests) {
      const status = await exchange(root, request)
      if (status === 'open' || Number(status) >= 500) wrong.push(`${status} for ${JSON.stringify(request).slice(0, 80)}`)
    }
  }
  return { sent: requests.length * roots.length, wrong }
}

function exchange(root: string, request: string): Promise<string> {
  const { hostname, port } = new URL(root)
  return new Promise((resolve) => {
    let got = ''
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    const end = (how: string) => {
      socket.destroy()
      resolve(how)
    }
    socket.setTimeout(15_000, () => end('open'))
    socket.on('data', (data) => (got += data.toString('latin1')))
    socket.on('end', () => end(/^HTTP\/1\.1 (\d{3})/.exec(got)?.[1] ?? 'closed'))
    socket.on('error', () => end('closed'))
    socket.end(request, 'latin1')
  })
}
