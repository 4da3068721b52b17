/** An entity of an activity: a label, citations, or where a message stands in a stream. */
export type Entity = Record<string, unknown> & { type: string }

export type CardAttachment = { contentType: 'application/vnd.microsoft.card.adaptive'; content: Record<string, unknown> }

/** What Nura sends, as it goes over the wire. */
export type Activity = {
  type: 'message' | 'typing'
  text?: string
  textFormat?: 'markdown'
  /** What a notification says. */
  summary?: string
  entities?: Entity[]
  attachments?: CardAttachment[]
  channelData?: Record<string, unknown>
}

/** Most bytes of an activity. Teams refuses above some 28 KB, and counts more than is seen here. */
export const mostBytes = 24_000

export function sizeOf(activity: Activity): number {
  return Buffer.byteLength(JSON.stringify(activity))
}
