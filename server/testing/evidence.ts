import type { Evidence, EvidenceSymbol, Relation } from '../agents/evidence.ts'
import type { Passage } from '../retrieval/passage.ts'

const sha = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

/** A passage of `acme/shop`; lines are numbered from `startLine`, 1 unless said. */
export function toPassage(n: number, path: string, content: string, more: Partial<Passage> = {}): Passage {
  const startLine = more.startLine ?? 1
  const isDocument = /\.(?:md|rst)$/.test(path)
  return {
    n, chunkId: `chunk-${n}`, repositoryId: 'repository-1', repository: 'acme/shop', path, startLine, endLine: startLine + content.split('\n').length - 1, sha, content,
    contentType: isDocument ? 'documentation' : 'code', language: isDocument ? 'markdown' : 'typescript', scope: [], score: 1 / n, legs: { bm25: 1 }, ...more,
  }
}

export function toSymbol(name: string, path: string, lines: [number, number], more: Partial<EvidenceSymbol> = {}): EvidenceSymbol {
  return { name, container: null, kind: 'function', signature: `function ${name}()`, doc: null, repositoryId: 'repository-1', path, startLine: lines[0], endLine: lines[1], ...more }
}

export function toRelation(kind: Relation['kind'], from: [string, string | null, number], to: [string, string | null, number]): Relation {
  const place = ([path, symbol, line]: [string, string | null, number]) => ({ repositoryId: 'repository-1', path, symbol, line })
  return { kind, from: place(from), to: place(to) }
}

const verify = `/** Checks the signature of a webhook against the shared secret. */
export function verifySignature(body: Buffer, signature: string, secret: string): boolean {
  const expected = createHmac('sha256', secret).update(body).digest('hex')
  return timingSafeEqual(Buffer.from(expected), Buffer.from(signature))
}`
const receive = `import { verifySignature } from './verify.ts'
import { dispatch } from './dispatch.ts'

/** Receives a webhook: refuses what is not signed, hands on what is. */
export function receiveWebhook(request: Request): Response {
  if (!verifySignature(request.body, request.signature, request.secret)) return refuse()
  return dispatch(request.body)
}`
const dispatch = `/** Hands an event to every handler that is registered for it. */
export function dispatch(body: Buffer): Response {
  // Handlers run one after another, because two of them may write the same order.
  for (const handler of handlersOf(body)) handler(body)
  return accepted()
}`
const test = `import { verifySignature } from '../src/verify.ts'

test('refuses a wrong signature', () => {
  expect(verifySignature(body, 'nonsense', 'secret')).toBe(false)
})`
const guide = `## Webhook signatures

Every webhook is signed with the shared secret. \`verifySignature\` refuses a request whose signature is wrong.

To configure the secret, set \`WEBHOOK_SECRET\`:

\`\`\`sh
export WEBHOOK_SECRET=$(openssl rand -hex 32)
\`\`\``

/** Evidence on the webhooks of a small shop: code, a test, a guide, and the edges between them. */
export function webhookEvidence(question: string): Evidence {
  return {
    question,
    passages: [
      toPassage(1, 'src/verify.ts', verify),
      toPassage(2, 'src/receive.ts', receive),
      toPassage(3, 'src/dispatch.ts', dispatch),
      toPassage(4, 'test/verify.test.ts', test),
      toPassage(5, 'docs/webhooks.md', guide, { startLine: 10, scope: ['Guide', 'Webhook signatures'] }),
    ],
    symbols: [
      toSymbol('verifySignature', 'src/verify.ts', [2, 5], { doc: 'Checks the signature of a webhook against the shared secret.', signature: 'export function verifySignature(body: Buffer, signature: string, secret: string): boolean' }),
      toSymbol('receiveWebhook', 'src/receive.ts', [5, 8], { doc: 'Receives a webhook: refuses what is not signed, hands on what is.' }),
      toSymbol('dispatch', 'src/dispatch.ts', [2, 6], { doc: 'Hands an event to every handler that is registered for it.' }),
    ],
    relations: [
      toRelation('import', ['src/receive.ts', null, 1], ['src/verify.ts', 'verifySignature', 2]),
      toRelation('call', ['src/receive.ts', 'receiveWebhook', 6], ['src/verify.ts', 'verifySignature', 2]),
      toRelation('call', ['src/receive.ts', 'receiveWebhook', 7], ['src/dispatch.ts', 'dispatch', 2]),
      toRelation('call', ['test/verify.test.ts', null, 4], ['src/verify.ts', 'verifySignature', 2]),
    ],
  }
}
