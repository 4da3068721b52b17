/** A repository that answers one question: where the signature of a webhook is verified. */
export const shopFiles = {
  'src/verify-signature.ts': [
    "import { createHmac, timingSafeEqual } from 'node:crypto'",
    '',
    '/** Verifies the signature of a webhook over the raw body, in constant time. */',
    'export function verifySignature(body: Buffer, signature: string, secret: string): boolean {',
    "  const expected = createHmac('sha256', secret).update(body).digest('hex')",
    '  return timingSafeEqual(Buffer.from(expected), Buffer.from(signature))',
    '}',
  ].join('\n'),
  'README.md': '# Shop\n\nWebhooks arrive at `/hooks`, and the signature of each webhook is verified before it is read.\n',
}
