import type { Logger } from 'pino'
import type { Db } from '#db/index.ts'
import type { NuraApi } from '../nura-api.ts'
import { texts } from '../texts.ts'
import { markdownBlock } from './blocks.ts'
import { refusalOf } from './call.ts'
import type { Workspace } from './installations.ts'
import type { Greeting } from './listeners.ts'
import { toPersonAudience } from './person-audience.ts'
import { escapeMrkdwn } from './prose.ts'

/** Most prompts that Slack shows. */
const mostPrompts = 4

/** App Home and the opening of a direct conversation: what Nura is, and questions that its sources answer. Best effort. */
export async function greet(parts: { db: Db; api: NuraApi; log: Logger }, workspace: Workspace, greeting: Greeting): Promise<void> {
  const person = `slack:${workspace.self.teamId}:${greeting.user}`
  const audience = await toPersonAudience(parts.db, workspace, greeting.user)
  const questions = (await parts.api.as(workspace.tenantId, person).suggestions(audience)).slice(0, mostPrompts)
  try {
    if (greeting.kind === 'home') await workspace.call('views.publish', { user_id: greeting.user, view: toHome(questions) }, { patience: 0 })
    else if (questions.length > 0) {
      const prompts = questions.map((question) => ({ title: question.slice(0, 70), message: question }))
      const thread = greeting.root ? { thread_ts: greeting.root } : {}
      await workspace.call('assistant.threads.setSuggestedPrompts', { channel_id: greeting.channel, ...thread, title: 'Ask about your code', prompts }, { patience: 0 })
    }
  } catch (error) {
    parts.log.info({ refusal: refusalOf(error), kind: greeting.kind }, 'greeting not shown')
  }
}

function toHome(questions: string[]): Record<string, unknown> {
  const tries = questions.map((question) => `• ${escapeMrkdwn(question)}`).join('\n')
  const prompts = tries ? [{ type: 'section', text: { type: 'mrkdwn', text: `*Try in a direct message or with @nura in a channel*\n${tries}`, verbatim: true } }] : []
  return {
    type: 'home',
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: 'Nura' } },
      markdownBlock(texts.help),
      ...prompts,
      { type: 'divider' },
      { type: 'context', elements: [{ type: 'mrkdwn', text: `Answers are AI-generated: check the sources they cite. ${texts.privacy}` }] },
    ],
  }
}
