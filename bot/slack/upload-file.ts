import { NuraError } from '#db/nura-error.ts'
import type { SlackCall } from './call.ts'

/** A file to be shown in a message: its bytes, what it is called, and what people read below it. */
export type Upload = { bytes: Uint8Array; name: string; title: string }

/** Milliseconds that Slack's host of files may take. */
const uploadMs = 15_000

/**
 * Hands a file to Slack, for nobody to see until a message shows it. Needs the right `files:write`.
 *
 * @param onNamed is given Slack's id of the file before it has any content, so that it can be taken away whatever happens.
 * @returns that id
 * @throws NuraError `slack-…`
 */
export async function uploadFile(call: SlackCall, { bytes, name, title }: Upload, onNamed: (id: string) => Promise<void>): Promise<string> {
  const { upload_url: url, file_id: id } = await call('files.getUploadURLExternal', { filename: name, length: bytes.byteLength })
  if (typeof url !== 'string' || typeof id !== 'string') throw new NuraError('slack-upload-failed', 'Slack did not say where to send a file.', { retryable: true })
  await onNamed(id)
  const sent = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: Buffer.from(bytes), redirect: 'error', signal: AbortSignal.timeout(uploadMs) }).catch((cause: unknown) => {
    throw new NuraError('slack-upload-failed', 'Slack did not take a file.', { retryable: true, cause })
  })
  await sent.body?.cancel()
  if (!sent.ok) throw new NuraError('slack-upload-failed', `Slack did not take a file: HTTP ${sent.status}.`, { retryable: true })
  await call('files.completeUploadExternal', { files: [{ id, title }] })
  return id
}
