import type * as Kms from '@aws-sdk/client-kms'
import { NuraError } from '../nura-error.ts'
import { unreadable } from './key-errors.ts'
import type { DataKeyName, MasterKey } from './master-key.ts'

/** A key of AWS KMS that wraps and unwraps there. Region, credentials and address are found by the AWS SDK, by its own rules. */
export function createKmsMasterKey(key: string): MasterKey {
  let opened: Promise<{ kms: typeof Kms; client: Kms.KMSClient }> | null = null
  // Loaded when it is first needed: most processes never do.
  const open = () => (opened ??= import('@aws-sdk/client-kms').then((kms) => ({ kms, client: createClient(kms, key) })))
  const id = toKmsId(key)
  return {
    id,
    async wrap(dataKey, name) {
      const { kms, client } = await open()
      const answer = await client.send(new kms.EncryptCommand({ KeyId: key, Plaintext: dataKey, EncryptionContext: toContext(name) })).catch(fail)
      return Buffer.from(answer.CiphertextBlob!)
    },
    async unwrap(wrapped, name) {
      const { kms, client } = await open()
      const answer = await client.send(new kms.DecryptCommand({ KeyId: key, CiphertextBlob: wrapped, EncryptionContext: toContext(name) })).catch(fail)
      return Buffer.from(answer.Plaintext!)
    },
  }

  function fail(error: Error & { $metadata?: { httpStatusCode?: number } }): never {
    const cause = new Error(`${error.name}, status ${error.$metadata?.httpStatusCode ?? 'none'}`)
    if (error.name === 'InvalidCiphertextException' || error.name === 'IncorrectKeyException') throw unreadable(cause)
    const lasting = lastingFaults[error.name]
    if (lasting) throw new NuraError('key-store-refused', `AWS KMS refuses the key ${id}: ${lasting}`, { cause })
    throw new NuraError('key-store-away', 'AWS KMS does not answer, so that stored tokens cannot be read just now. Nura goes on by itself once it does.', { retryable: true, cause })
  }
}

/** As it stands beside what it wrapped. */
export function toKmsId(key: string): string {
  return `kms:${key}`
}

function createClient(kms: typeof Kms, key: string): Kms.KMSClient {
  const region = /^arn:[^:]+:kms:([^:]+):/.exec(key)?.[1]
  return new kms.KMSClient({ maxAttempts: 3, requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000 }, ...(region && { region }) })
}

/** Shown in the trail of AWS too, where it says whose key was asked for. */
function toContext({ tenantId, keyId }: DataKeyName): Record<string, string> {
  return { tenant: tenantId, key: keyId }
}

/** What asking again does not mend. */
const lastingFaults: Readonly<Record<string, string>> = {
  AccessDeniedException: 'allow kms:Encrypt and kms:Decrypt to the role of this process.',
  NotFoundException: 'there is no such key in this region; check NURA_KMS_KEY and AWS_REGION.',
  DisabledException: 'it is disabled; enable it.',
  KMSInvalidStateException: 'it is about to be deleted or not ready; cancel its deletion.',
  InvalidKeyUsageException: 'it is not for encryption; use a symmetric key.',
  UnrecognizedClientException: 'the credentials are not known; check those of AWS.',
  InvalidSignatureException: 'the credentials are not accepted; check those of AWS and the clock of this machine.',
  ExpiredTokenException: 'the credentials have expired.',
  CredentialsProviderError: 'no credentials are found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or give this machine a role.',
}
