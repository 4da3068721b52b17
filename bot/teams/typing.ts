import type { Logger } from 'pino'
import type { Connector } from './connector.ts'

/** Teams takes the dots away after a few seconds. */
const refreshMs = 5000

/** Shows that work goes on where nothing may be streamed. Best effort: it never throws and nobody waits for it. */
export function createTyping(parts: { connector: Connector; conversation: string; log: Logger }): { show(): void; clear(): void } {
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  const send = () => {
    parts.connector.send(parts.conversation, { type: 'typing' }, { once: true }).catch((error: unknown) => parts.log.debug({ err: error }, 'typing not shown'))
  }
  return {
    show() {
      if (timer || isOver) return
      send()
      timer = setInterval(send, refreshMs)
    },
    clear() {
      isOver = true
      clearInterval(timer)
    },
  }
}
