import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ChatMessage } from './chat-model.ts'
import { toTurns } from './turns.ts'

const message = fc.record({ role: fc.constantFrom('user' as const, 'assistant' as const), content: fc.oneof(fc.constant(' \n'), fc.string({ minLength: 1 })) })

test('whatever was said, the user begins, roles alternate, nothing is blank, and no word of the user is lost', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
      const before = structuredClone(messages)
      const turns = toTurns(messages)
      expect(messages).toEqual(before)
      turns.forEach(({ role, content }, at) => {
        expect(role).toBe(at % 2 === 0 ? 'user' : 'assistant')
        expect(content.trim()).not.toBe('')
      })
      const said = (list: ChatMessage[]) => list.filter(({ role, content }) => role === 'user' && content.trim() !== '').map(({ content }) => content).join('\n\n')
      expect(said(turns)).toBe(said(messages))
    }),
  )
})
