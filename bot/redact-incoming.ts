import { redact } from '#server/indexing/redact.ts'
import type { Incoming } from './platform.ts'

/** What came in without the secrets that people wrote: the inbox keeps it, and whoever carries it out reads it there. */
export async function redactIncoming(incoming: Incoming): Promise<Incoming> {
  if (incoming.kind === 'action') return { ...incoming, value: await clean(incoming.value) }
  if (incoming.kind !== 'message' && incoming.kind !== 'edit') return incoming
  const attachments = incoming.attachments.map(async ({ title, text }) => ({ title: await clean(title), text: text === null ? null : await clean(text) }))
  return { ...incoming, text: await clean(incoming.text), attachments: await Promise.all(attachments) }
}

async function clean(text: string): Promise<string> {
  return (await redact(text)).text
}
