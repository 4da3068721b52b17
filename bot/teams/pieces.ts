import type { AnswerDone, Citation, Report } from '#server/answer-part.ts'
import { openFence } from '../fences.ts'
import { closeFence, cutAt, toPages } from '../pages.ts'
import { mostBytes, sizeOf } from './activity.ts'
import type { Activity, CardAttachment } from './activity.ts'
import { answerCard } from './cards.ts'
import type { CardOptions } from './cards.ts'
import { generatedEntity } from './entities.ts'

/** Characters of one message: with what stands beside the text it stays below `mostBytes` in any script. */
export const pageRoom = 6000
const limits = { first: pageRoom, next: pageRoom, blocks: Infinity }
const continued = '\n\n_[Continued below]_'

/** Cuts a text into messages. `streamed`: this many characters are shown by the first one already, and stay in it. */
export function toTexts(text: string, streamed = 0): string[] {
  const pages = streamed === 0 ? toPages(text, limits).map(({ markdown }) => markdown) : cutAfter(text, streamed)
  return pages.map((page, index) => (index < pages.length - 1 ? page + continued : page))
}

function cutAfter(text: string, streamed: number): string[] {
  const at = Math.max(streamed, cutAt(text, pageRoom - continued.length, Infinity))
  const head = text.slice(0, at)
  const rest = text.slice(at)
  const open = openFence(head)
  if (rest === '') return [closeFence(head, open)]
  return [closeFence(head, open), ...toPages(`${open ? `${open.opener}\n` : ''}${rest}`, limits).map(({ markdown }) => markdown)]
}

/** A text of the model's, labelled as such, with those sources that it cites. */
export function generated(text: string, citations: Citation[]): Activity {
  const cited = citations.filter(({ n }) => text.includes(`[${n}]`))
  for (let most = cited.length; ; most = Math.floor(most / 2)) {
    const activity: Activity = { type: 'message', text, textFormat: 'markdown', entities: [generatedEntity(cited.slice(0, most))] }
    if (most === 0 || sizeOf(activity) <= mostBytes - 500) return activity
  }
}

/** A text that Nura says of itself. */
export function spoken(text: string, card?: CardAttachment): Activity {
  return { type: 'message', text, textFormat: 'markdown', ...(card && { attachments: [card] }) }
}

/** The messages of a whole answer. What belongs below it hangs on the last one, or follows it where it does not fit. */
export function toAnswer(texts: string[], done: AnswerDone, cited: Citation[], reports: Report[], options: CardOptions): Activity[] {
  const activities = texts.map((text) => generated(text || reports[0]?.title || 'Nura', cited))
  const last = activities.at(-1)!
  const channelData = { feedbackLoop: { type: 'default' } }
  const card = answerCard(done, cited, reports, options, mostBytes - 1000)
  const whole: Activity = { ...last, attachments: [card], channelData }
  if (sizeOf(whole) <= mostBytes) return [...activities.slice(0, -1), whole]
  return [...activities, { type: 'message', summary: 'Sources and figures', entities: [generatedEntity([])], attachments: [card], channelData }]
}
