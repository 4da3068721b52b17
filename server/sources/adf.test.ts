import fc from 'fast-check'
import { expect, test } from 'vitest'
import { adfToMarkdown } from './adf.ts'

const text = (value: string) => ({ type: 'text', text: value })
const paragraph = (...content: object[]) => ({ type: 'paragraph', content })
const read = (...content: object[]) => adfToMarkdown({ type: 'doc', version: 1, content })

test('blocks stand apart, headings one level down, code in fences', () => {
  expect(
    read(
      { type: 'heading', attrs: { level: 1 }, content: [text('Cause')] },
      paragraph(text('One '), { ...text('bold'), marks: [{ type: 'strong' }] }, { type: 'hardBreak' }, text('two.')),
      { type: 'codeBlock', attrs: { language: 'sql' }, content: [text('select 1\nfrom x')] },
      { type: 'panel', content: [paragraph(text('Careful.'))] },
    ),
  ).toBe('## Cause\n\nOne bold\ntwo.\n\n```sql\nselect 1\nfrom x\n```\n\nCareful.')
})

test('lists, nested too, tables and mentions', () => {
  const item = (...content: object[]) => ({ type: 'listItem', content })
  const cell = (value: string) => ({ type: 'tableCell', content: [paragraph(text(value))] })
  expect(
    read(
      { type: 'orderedList', content: [item(paragraph(text('first')), { type: 'bulletList', content: [item(paragraph(text('inner')))] }), item(paragraph(text('second')))] },
      { type: 'table', content: [{ type: 'tableRow', content: [cell('a'), cell('b')] }, { type: 'tableRow', content: [cell('1'), cell('2')] }] },
      paragraph({ type: 'mention', attrs: { id: '1', text: '@Ada' } }, text(' knows.')),
    ),
  ).toBe('1. first\n\n   - inner\n2. second\n\na | b\n1 | 2\n\n@Ada knows.')
})

test('a plain text is itself, and anything else is some text', () => {
  expect(adfToMarkdown(' plain ')).toBe('plain')
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => typeof adfToMarkdown(value) === 'string'))
  let deep: object = text('bottom')
  for (let level = 0; level < 5_000; level++) deep = { type: 'panel', content: [deep] }
  expect(typeof read(deep)).toBe('string')
})
