import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { randomBytes } from 'node:crypto'
import { decrypt, encrypt } from '../encryption.ts'

type KmsRequest = { action: string; KeyId?: string; Plaintext?: string; CiphertextBlob?: string; EncryptionContext?: Record<string, string> }

/** AWS KMS over loopback: Encrypt and Decrypt as its JSON protocol has them, under keys of its own. */
export type FakeKms = {
  /** What `AWS_ENDPOINT_URL_KMS` names. */
  readonly url: string
  readonly requests: KmsRequest[]
  /** What it answers instead: an error's name with its status, or a connection that ends without a word. */
  fault: { status: number; name: string } | 'hang-up' | null
  addKey(): string
  close(): Promise<void>
}

export async function startFakeKms(): Promise<FakeKms> {
  const keys = new Map<string, Buffer>()
  const requests: KmsRequest[] = []
  const server = createServer((request, response) => {
    const refuse = (status: number, name: string) => response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify({ __type: name, message: `${name} of the fake` }))
    const reply = async () => {
      const action = /^TrentService\.(\w+)$/.exec(String(request.headers['x-amz-target']))?.[1] ?? ''
      const body = { ...((await json(request)) as Omit<KmsRequest, 'action'>), action }
      requests.push(body)
      if (fake.fault === 'hang-up') return void request.socket.destroy()
      if (fake.fault) return void refuse(fake.fault.status, fake.fault.name)
      if (!/^AWS4-HMAC-SHA256 Credential=[^/]+\/\d+\/[^/]+\/kms\/aws4_request/.test(request.headers.authorization ?? '')) return void refuse(403, 'MissingAuthenticationTokenException')
      const key = keys.get(body.KeyId ?? '')
      if (!key) return void refuse(400, 'NotFoundException')
      const context = JSON.stringify(Object.entries(body.EncryptionContext ?? {}).sort())
      const answer = carryOut(action, key, body, context)
      if (answer === null) return void refuse(400, action === 'Decrypt' ? 'InvalidCiphertextException' : 'UnknownOperationException')
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify({ KeyId: body.KeyId, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT', ...answer }))
    }
    reply().catch(() => refuse(400, 'SerializationException'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const fake: FakeKms = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    fault: null,
    addKey() {
      const arn = `arn:aws:kms:eu-central-1:111122223333:key/${crypto.randomUUID()}`
      keys.set(arn, randomBytes(32))
      return arn
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return fake
}

function carryOut(action: string, key: Buffer, { Plaintext, CiphertextBlob }: KmsRequest, context: string): { CiphertextBlob: string } | { Plaintext: string } | null {
  if (action === 'Encrypt' && Plaintext) return { CiphertextBlob: encrypt(key, Buffer.from(Plaintext, 'base64'), context).toString('base64') }
  if (action !== 'Decrypt' || !CiphertextBlob) return null
  try {
    return { Plaintext: decrypt(key, Buffer.from(CiphertextBlob, 'base64'), context).toString('base64') }
  } catch {
    return null
  }
}
