import type { Action } from '../platform.ts'
import type { ActParts } from './action-target.ts'
import { markdownBlock } from './blocks.ts'
import type { Block } from './blocks.ts'

/** Answers a command to the person alone, by the address that came with it: it works where Nura is not a member. Returns `outcome`. */
export async function respond(parts: ActParts, action: Action, text: string, blocks?: Block[], outcome = 'command'): Promise<string> {
  const url = action.request.responseUrl
  const body = { response_type: 'ephemeral', text, blocks: blocks ?? [markdownBlock(text)] }
  if (typeof url === 'string') {
    const sent = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), redirect: 'error', signal: AbortSignal.timeout(5000) }).catch(() => null)
    await sent?.body?.cancel()
    if (sent?.ok) return outcome
  }
  await parts.workspace.call('chat.postEphemeral', { channel: action.place.channel, user: action.author, text, blocks: body.blocks })
  return outcome
}
