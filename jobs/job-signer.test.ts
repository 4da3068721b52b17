import { expect, test } from 'vitest'
import { createJobSigner } from './job-signer.ts'

const ours = createJobSigner('a secret that is long enough to be one')
const payload = { tenantId: 'a', documentId: 'b' }

test('what was signed for a job is opened for that job, and after a trip through JSON', () => {
  expect(ours.open('read-document', JSON.parse(JSON.stringify(ours.sign('read-document', payload))))).toEqual(payload)
})

test('nothing else is opened: another job, another key, another payload, a mac that is cut or missing, no object at all', () => {
  const signed = ours.sign('read-document', payload)
  const forged = [
    [signed, 'forget-repository'],
    [createJobSigner('another secret that is long enough').sign('read-document', payload)],
    [{ ...signed, body: signed.body.replace('"a"', '"c"') }],
    [{ ...signed, mac: signed.mac.slice(0, -4) }],
    [{ ...signed, mac: '' }],
    [{ body: signed.body }],
    [{ ...signed, mac: [signed.mac] }],
    [payload],
    [null],
    ['text'],
  ] as const
  for (const [data, job = 'read-document'] of forged) expect(ours.open(job, data), JSON.stringify([job, data])).toBeUndefined()
})
