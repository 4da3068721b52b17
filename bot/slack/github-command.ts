import { NuraError } from '#db/nura-error.ts'
import { toAsker } from '../platform.ts'
import type { Action } from '../platform.ts'
import type { ActParts } from './action-target.ts'
import { respond } from './respond.ts'

export const githubVerbs = ['connect', 'link', 'unlink'] as const
export type GithubVerb = (typeof githubVerbs)[number]

/** `/nura connect github` (admins), `/nura link github`, `/nura unlink github`: what is said is for the person alone. */
export async function runGithubCommand(parts: ActParts, action: Action, verb: GithubVerb): Promise<string> {
  const person = await parts.workspace.directory.person(action.author)
  if (verb === 'connect' && !person.admin) return await respond(parts, action, 'Only an admin of this workspace can decide that.', undefined, 'refused:not-an-admin')
  if (verb === 'link' && (person.guest || person.stranger)) return await respond(parts, action, 'Only members of this workspace can link an account.', undefined, 'refused:not-a-member')
  const api = parts.api.as(parts.workspace.tenantId, toAsker(action))
  try {
    if (verb === 'unlink') return await respond(parts, action, (await api.unlinkGithub()) ? 'I have forgotten your GitHub account.' : 'No GitHub account is linked to you.')
    const { url } = await api.connectGithub(verb === 'connect' ? 'installation' : 'person', person.name)
    return await respond(parts, action, verb === 'connect' ? toConnectText(url) : toLinkText(url))
  } catch (error) {
    // What the server says of GitHub is meant for people; anything else is a fault of the turn.
    if (!(error instanceof NuraError) || !error.code.startsWith('github-')) throw error
    return await respond(parts, action, error.message, undefined, `refused:${error.code}`)
  }
}

function toConnectText(url: string): string {
  return `[Choose on GitHub which repositories I may read](${url}). The link is for you, works once, and for 15 minutes. I then ask you to confirm, and index what you chose: everyone in this workspace can be answered from it.`
}

function toLinkText(url: string): string {
  return `[Sign in with GitHub](${url}) to be answered, in direct messages, from the repositories that you may read there. The link is for you, works once, and for 15 minutes; give it to nobody.`
}
