import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { threadLastsMs } from '#db/tenant/threads.ts'
import { goneDays, inboxDays, kept, threadDays, toPrivacyText } from './retention.ts'

const documented = readFileSync(join(import.meta.dirname, '../docs/privacy.md'), 'utf8')

it('is what docs/privacy.md says, row by row and nothing else', () => {
  const [, , ...rows] = /^\|[^]*?(?=\n\n)/m.exec(documented)![0].split('\n')
  expect(rows).toEqual(kept.map(({ what, where, until }) => `| ${what} | ${where} | ${until} |`))
})

it('is what people are told, with the times that are kept to', () => {
  const told = toPrivacyText()
  for (const { what, where, until } of kept) expect(told).toContain(`- **${what[0]!.toUpperCase()}${what.slice(1)}**: ${where}; ${until}`)
  expect(threadDays * 24 * 3_600_000).toBe(threadLastsMs)
  for (const days of [threadDays, inboxDays, goneDays]) expect(told).toContain(`${days} days`)
})
