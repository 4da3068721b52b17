import type { Day } from './days.ts'
import { readRange } from './read-range.ts'

const opener = /^(?:and|or|also|then|but|so|what about|how about|same for|now)\b[\s,]*(?:what about|how about|for)?\s*/i
const before = /^(?:in |for |over )?(?:the )?(?:day|week|month|quarter|year|time) before(?: that)?$/i
const longest = 8

/**
 * What a short question means that goes on from one about activity: the same with another time («and the week before?», «what
 * about October?»), or narrowed or told apart otherwise («and by label?»). Null for one that stands on its own.
 *
 * @param first the question that it goes on from
 * @param today in the asker's zone
 */
export function continueQuestion(first: string, text: string, today: Day): string | null {
  const rest = text.replace(opener, '').replace(/[\s?.!]+$/, '').trim()
  const isShort = rest !== '' && rest.split(/\s+/).length <= longest
  if (!isShort || (rest === text.replace(/[\s?.!]+$/, '').trim() && readRange(rest.toLowerCase(), today) === null && !before.test(rest))) return null
  const whole = first.replace(/[\s?.!]+$/, '')
  const old = readRange(whole.toLowerCase(), today)
  if (before.test(rest)) {
    const earlier = old !== null && 'range' in old ? old.range.previous : null
    return old !== null && earlier ? `${replaced(whole, old.said, ` from ${earlier.from} to ${earlier.to} `)}?` : null
  }
  const time = readRange(rest.toLowerCase(), today)
  if (time === null) return `${whole} ${rest}?`
  const more = rest.toLowerCase().replace(time.said, ' ').replace(/\s+/g, ' ').trim()
  return `${[old === null ? `${whole} ${time.said}` : replaced(whole, old.said, ` ${time.said} `), more].filter(Boolean).join(' ').replace(/\s+/g, ' ')}?`
}

function replaced(text: string, said: string, by: string): string {
  const at = text.toLowerCase().indexOf(said)
  return `${text.slice(0, at)}${by}${text.slice(at + said.length)}`.replace(/\s+/g, ' ').trim()
}
