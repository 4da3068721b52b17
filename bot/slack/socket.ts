import { SocketModeReceiver } from '@slack/bolt'
import type { App } from '@slack/bolt'
import type { Logger } from 'pino'
import { NuraError } from '#db/nura-error.ts'
import { toSlackLogger, withSlash } from './call.ts'
import { giveToBolt } from './receiver.ts'
import { toRequestId } from './signature.ts'

/** Milliseconds before a connection that could not be opened is tried again. */
const againMs = 5_000

export type Socket = { start(): void; ready(): void; stop(): Promise<void> }

/**
 * Socket Mode: the same payloads over a connection that we open, acknowledged only when they are stored; without an
 * acknowledgement Slack sends them again. Slack may be away when we start: the connection is then tried again.
 */
export function openSocket(parts: { appToken: string; apiUrl: string | null; app: App; log: Logger }): Socket {
  const { app, log } = parts
  const receiver = new SocketModeReceiver({
    appToken: parts.appToken,
    logger: toSlackLogger(log),
    ...(parts.apiUrl ? { installerOptions: { clientOptions: { slackApiUrl: withSlash(parts.apiUrl) } } } : {}),
    // Slack repeats an interaction under the same envelope.
    customPropertiesExtractor: (args: { envelope_id?: string; body?: unknown }) => ({ requestId: toRequestId(args.envelope_id ?? JSON.stringify(args.body)) }),
  })
  let state: 'opening' | 'open' | 'closed' = 'opening'
  let timer: NodeJS.Timeout | undefined
  const gate: Pick<App, 'processEvent'> = {
    async processEvent(event) {
      const verdict = await giveToBolt(app, log, {
        body: event.body,
        requestId: String(event.customProperties?.requestId),
        ...(event.retryNum === undefined ? {} : { retryNum: event.retryNum }),
        ...(event.retryReason === undefined ? {} : { retryReason: event.retryReason }),
      })
      if (verdict.ok) await event.ack(verdict.body as never)
    },
  }
  receiver.init(gate as App)

  function start(): void {
    receiver.start().then(
      () => {
        if (state === 'opening') state = 'open'
      },
      (error: unknown) => {
        log.error({ err: error }, 'slack socket not opened; SLACK_APP_TOKEN must be an app-level token with connections:write')
        if (state === 'opening') timer = setTimeout(start, againMs)
      },
    )
  }

  return {
    start,
    ready() {
      if (state !== 'open') throw new NuraError('slack-unready', 'The socket to Slack is not open yet.', { retryable: true })
    },
    async stop() {
      state = 'closed'
      clearTimeout(timer)
      await receiver.stop()
    },
  }
}
