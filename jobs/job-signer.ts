import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

/** What lies in the queue of a job: its payload as text, and the proof that one of our processes wrote it for this job. */
export type SignedPayload = { body: string; mac: string }

/** The queue may be written to by whoever reaches Redis; work is taken from processes of this deployment alone. */
export type JobSigner = {
  sign(job: string, payload: unknown): SignedPayload
  /** The payload, not yet checked against the job's schema; undefined when none of us signed it for this job. */
  open(job: string, data: unknown): unknown
}

/** @param secret what only the processes of this deployment share, at least 32 bytes */
export function createJobSigner(secret: string | Buffer): JobSigner {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'nura jobs', 32))
  const toMac = (job: string, body: string) => createHmac('sha256', key).update(`${job}\n${body}`).digest()
  return {
    sign(job, payload) {
      const body = JSON.stringify(payload)
      return { body, mac: toMac(job, body).toString('base64url') }
    },
    open(job, data) {
      const { body, mac } = (data ?? {}) as Partial<Record<keyof SignedPayload, unknown>>
      if (typeof body !== 'string' || typeof mac !== 'string') return undefined
      const [given, wanted] = [Buffer.from(mac, 'base64url'), toMac(job, body)]
      return given.length === wanted.length && timingSafeEqual(given, wanted) ? JSON.parse(body) : undefined
    },
  }
}
