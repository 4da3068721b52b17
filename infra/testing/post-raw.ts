import { request } from 'node:http'
import type { OutgoingHttpHeaders } from 'node:http'

/** Posts bytes with exactly these headers, any of them as often as it has values. @returns the status */
export function postRaw(url: string, body: string | Buffer, headers: OutgoingHttpHeaders): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    })
    sent.once('error', reject)
    sent.end(body)
  })
}
