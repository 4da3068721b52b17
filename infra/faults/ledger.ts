/** What was asked: one message, told to Nura by one event or several. */
export type Asked = {
  /** Stands in the question; a whole answer begins and ends with it. */
  mark: string
  /** The message's id, and so the thread's. */
  ts: string
  /** Milliseconds since the epoch. */
  sentAt: number
  /** When Nura first said 200; null when it never did. */
  ackedAt: number | null
  /** How long that answer took, milliseconds. */
  ackMs: number | null
  /** When a whole answer was first seen in the thread. */
  answeredAt: number | null
}

/** What became of it in the inbox. */
export type LedgerRow = { ts: string; state: string; outcome: string | null }

/** A reply as the thread shows it in the end. */
export type LedgerReply = { ts: string; text: string; streaming: boolean }

export type Account = {
  asked: number
  acknowledged: number
  neverAcknowledged: number
  /** Acknowledged, and no row of it, or neither a whole answer in its thread nor a word why there is none. */
  lost: string[]
  /** Without a whole answer, and a row and a reply that both say so: refused, interrupted, failed. */
  told: string[]
  /** More than one reply in a thread where one was owed, or an answer more than once in a reply. */
  double: string[]
  /** A thread that shows what belongs to another. */
  foreign: string[]
  /** A row that has no outcome, ended or not. */
  withoutOutcome: string[]
}

/** How a question names itself. */
export const toMark = (number: number) => String(1_000 + number)

/** A text that begins and ends with the mark of its question, so that a part of it is told from the whole. */
export const toAnswer = (mark: string) => {
  const middle = Array.from({ length: 12 }, (_, at) => `Step ${at + 1} verifies the signature over the raw body in constant time [1].`).join(' ')
  return `Answer ${mark} begins [1]. ${middle} This was answer ${mark} [1].\n`
}

const beginning = /Answer (\d+) begins/g
const ending = /This was answer (\d+) /g
const marks = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, mark]) => mark!)

/** Whether a reply is the whole answer to `mark`, and will not change any more. */
export function isWhole(reply: LedgerReply, mark: string): boolean {
  return !reply.streaming && marks(reply.text, beginning).includes(mark) && marks(reply.text, ending).includes(mark)
}

/** Outcomes that promise no answer; what they said in the thread stands there for good. */
const unanswered = /^(refused|interrupted|failed)\b/

function isTold({ outcome }: LedgerRow, replies: readonly LedgerReply[]): boolean {
  return outcome !== null && unanswered.test(outcome) && replies.length > 0 && replies.every(({ streaming }) => !streaming)
}

/** Holds what was acknowledged against what the inbox says and what people see: exactly one whole answer each, and an outcome. */
export function settleLedger(asked: readonly Asked[], rows: readonly LedgerRow[], repliesOf: (ts: string) => readonly LedgerReply[]): Account {
  const rowOf = new Map(rows.map((row) => [row.ts, row]))
  const account: Account = { asked: asked.length, acknowledged: 0, neverAcknowledged: 0, lost: [], told: [], double: [], foreign: [], withoutOutcome: [] }
  for (const { mark, ts, ackedAt } of asked) {
    const row = rowOf.get(ts)
    const replies = repliesOf(ts)
    const whole = replies.filter((reply) => isWhole(reply, mark))
    const texts = replies.map(({ text }) => text).join('\n')
    if (ackedAt === null) account.neverAcknowledged++
    else account.acknowledged++
    if (row && (row.outcome === null || (row.state !== 'done' && row.state !== 'failed'))) account.withoutOutcome.push(mark)
    // One that was stored and never acknowledged is answered as well: Slack was only not told.
    if ((ackedAt !== null || row) && (!row || whole.length === 0)) account[row && isTold(row, replies) ? 'told' : 'lost'].push(mark)
    if (replies.length > 1 || marks(texts, ending).length > 1 || marks(texts, beginning).length > 1) account.double.push(mark)
    if ([...marks(texts, beginning), ...marks(texts, ending)].some((found) => found !== mark)) account.foreign.push(mark)
  }
  return account
}
