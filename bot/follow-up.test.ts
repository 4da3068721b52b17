import { describe, expect, it } from 'vitest'
import { route, toWord } from './follow-up.ts'

const thread = { subscribed: true, muted: false, asker: 'U0ALICE' }
const message = (text: string, extra: Partial<Parameters<typeof route>[0]> = {}) => ({ text, mentioned: false, namesOthers: false, author: 'U0ALICE', direct: false, ...extra })

describe('route', () => {
  it('always answers when named or alone with someone', () => {
    expect(route(message('x', { mentioned: true, namesOthers: true }), { ...thread, subscribed: false }).answer).toBe(true)
    expect(route(message('x', { direct: true }), { ...thread, subscribed: false }).answer).toBe(true)
  })

  it.each(['how is it validated?', 'and where is that called?', 'Which tests cover it', 'explain the second step', 'the retry too?', 'can you show the test?'])('answers its asker in the thread: %s', (text) => {
    expect(route(message(text), thread)).toEqual({ answer: true, reason: 'follow-up' })
  })

  it.each([
    ['thanks!', 'courtesy'],
    ['ok great', 'courtesy'],
    ['LGTM', 'courtesy'],
    ['Bob, is it deployed?', 'addressed-to-a-person'],
    ['hey Carol how is it going?', 'addressed-to-a-person'],
    ['I will fix it tomorrow.', 'not-a-question'],
    ['', 'empty'],
  ])('stays silent: %s', (text, reason) => {
    expect(route(message(text), thread)).toEqual({ answer: false, reason })
  })

  it('stays silent where it is not asked, is muted, or someone else is named', () => {
    expect(route(message('how?'), { ...thread, subscribed: false }).reason).toBe('not-subscribed')
    expect(route(message('how?'), { ...thread, muted: true }).reason).toBe('muted')
    expect(route(message('how?', { namesOthers: true }), thread).reason).toBe('names-someone-else')
  })

  it('is more careful with people who did not ask it', () => {
    const bob = { author: 'U0BOB' }
    expect(route(message('how does it work?', bob), thread).answer).toBe(true)
    expect(route(message('can you look at it?', bob), thread).reason).toBe('maybe-for-a-person')
    expect(route(message('deployed?', bob), thread).reason).toBe('in-doubt')
  })
})

describe('toWord', () => {
  it.each([['', 'empty'], ['Help!', 'help'], [' MUTE ', 'mute'], ['why?', 'why'], ['stop.', 'stop'], ['Config', 'config'], ['privacy!', 'privacy'], ['config of the worker', null], ['why is it slow?', null], ['mute the log', null]])('%s is %s', (text, word) => {
    expect(toWord(text)).toBe(word)
  })
})
