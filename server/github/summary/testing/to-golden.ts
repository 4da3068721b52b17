/** A comment with what differs from run to run replaced, so that it can be held against a file that people read. */
export function toGolden(body: string, { origin, headSha, baseSha }: { origin: string; headSha: string; baseSha: string }): string {
  return body
    .replaceAll(new RegExp(`${origin}/acme-[0-9a-f]{8}/`, 'g'), 'https://github.com/acme/')
    .replaceAll(headSha, 'head'.padEnd(40, '0'))
    .replaceAll(headSha.slice(0, 7), 'head000')
    .replaceAll(baseSha, 'base'.padEnd(40, '0'))
    .replace(/nura:[0-9a-f-]{36}/, 'nura:00000000-0000-4000-8000-000000000000')
}
