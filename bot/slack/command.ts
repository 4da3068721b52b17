import { approveChannel, revokeChannel } from '#db/shared/slack-installations.ts'
import { toSettingsText } from '#server/explain-settings.ts'
import { toAsker } from '../platform.ts'
import type { Action } from '../platform.ts'
import { texts } from '../texts.ts'
import type { ActParts } from './action-target.ts'
import { helpBlocks } from './blocks.ts'
import { isFinal, refusalOf } from './call.ts'
import { githubVerbs, runGithubCommand } from './github-command.ts'
import { toPersonAudience } from './person-audience.ts'
import { escapeMrkdwn } from './prose.ts'
import { respond } from './respond.ts'

const usage = [
  '`/nura ask QUESTION` asks here · `/nura help` · `/nura config` · `/nura privacy`',
  '`/nura link github` and `/nura unlink github`: answer me from what I may read on GitHub',
  'Workspace admins: `/nura allow` and `/nura disallow` (answer in this channel although outsiders read along) · `/nura connect github` (more repositories)',
].join('\n\n')

/** `/nura …`. Slash commands do not reach threads, so what concerns a thread is a word written there. */
export async function runCommand(parts: ActParts, action: Action): Promise<string> {
  const [word = '', ...rest] = action.value.trim().split(/\s+/)
  const name = word.toLowerCase()
  if (name === '' || name === 'help') return await help(parts, action)
  if (name === 'privacy') return await respond(parts, action, texts.privacy)
  if (name === 'config' && rest.length === 0) return await config(parts, action)
  if (name === 'mute' || name === 'unmute' || name === 'stop') return await respond(parts, action, `Slack does not tell me in which thread a command is written: write \`${name}\` in the thread itself.`)
  if (name === 'allow' || name === 'disallow') return await decideChannel(parts, action, name)
  const verb = githubVerbs.find((each) => each === name)
  if (verb && rest.length === 0) return await respond(parts, action, usage)
  if (verb && rest.join(' ').toLowerCase() === 'github') return await runGithubCommand(parts, action, verb)
  return await askHere(parts, action, name === 'ask' ? rest.join(' ') : action.value.trim())
}

async function help(parts: ActParts, action: Action): Promise<string> {
  const { tenantId } = parts.workspace
  const audience = await toPersonAudience(parts.db, parts.workspace, action.author)
  const questions = await parts.api.as(tenantId, toAsker(action)).suggestions(audience)
  return await respond(parts, action, texts.help, helpBlocks(`${texts.help}\n\n${usage}`, questions))
}

/** Only the person reads it, so it tells what they may be answered from. */
async function config(parts: ActParts, action: Action): Promise<string> {
  const audience = await toPersonAudience(parts.db, parts.workspace, action.author)
  return await respond(parts, action, toSettingsText(await parts.api.as(parts.workspace.tenantId, toAsker(action)).readSettings(audience, null)))
}

async function decideChannel(parts: ActParts, action: Action, decision: 'allow' | 'disallow'): Promise<string> {
  const { db, workspace } = parts
  if (!(await workspace.directory.person(action.author)).admin) return await respond(parts, action, 'Only an admin of this workspace can decide that.', undefined, 'refused:not-an-admin')
  const { channel } = action.place
  if (decision === 'allow') await approveChannel(db, workspace.tenantId, channel, action.author)
  else await revokeChannel(db, workspace.tenantId, channel)
  const text = decision === 'allow' ? 'From now on I answer in this channel, and everyone in it, outsiders too, reads what I say from sources that are open to the workspace.' : 'I no longer answer in this channel while outsiders read along.'
  return await respond(parts, action, text)
}

/** Puts the question where everyone sees what is answered, and lets a turn answer it in its thread. */
async function askHere(parts: ActParts, action: Action, question: string): Promise<string> {
  if (question === '') return await respond(parts, action, usage)
  const { channel } = action.place
  try {
    const text = escapeMrkdwn(question)
    const posted = await parts.workspace.call('chat.postMessage', { channel, text: `<@${action.author}> asks: ${text}`, unfurl_links: false, unfurl_media: false, link_names: false })
    const root = String(posted.ts)
    await parts.receive(parts.workspace.tenantId, {
      kind: 'message',
      place: { ...action.place, root },
      id: root,
      author: action.author,
      text: question,
      mentioned: true,
      namesOthers: false,
      external: false,
      attachments: [],
    })
    return 'asked'
  } catch (error) {
    if (!isFinal(error)) throw error
    return await respond(parts, action, `I cannot write here (${refusalOf(error)}). Invite me with \`/invite @nura\`, or ask me in a direct message.`)
  }
}
