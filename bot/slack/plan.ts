import { findAgent } from '#server/agents/index.ts'
import type { Step } from '#server/answer-part.ts'

/** A card of Slack's plan, as a piece of a stream. */
export type TaskChunk = { type: 'task_update'; id: string; title: string; status: 'pending' | 'in_progress' | 'complete' | 'error' }

/** An answer of fewer steps shows them only when it takes longer: a plan of one step is noise. */
const leastSteps = 3
const slowMs = 8000

const statuses = { pending: 'pending', running: 'in_progress', done: 'complete', failed: 'error' } as const

/** The steps of one answer, and which of their cards are not shown yet. */
export type Plan = {
  note(step: Step): void
  /** There is enough to show. */
  isDue(): boolean
  /** Some step has neither ended nor failed. */
  isOpen(): boolean
  /** Cards that changed since they were last taken. */
  takeNews(): TaskChunk[]
  /** Cards of the steps that go on, to be shown in the next message. */
  takeOpen(): TaskChunk[]
  /** Ends every card that is still open, so that none looks as if somebody worked on it: `pending` where it goes on elsewhere. */
  leave(status: 'complete' | 'error' | 'pending'): TaskChunk[]
}

export function createPlan(now: () => number = Date.now): Plan {
  const steps = new Map<string, Step>()
  const shown = new Map<string, string>()
  let since = 0

  const toCard = (step: Step, status: TaskChunk['status'] = statuses[step.state]): TaskChunk => ({ type: 'task_update', id: step.id.slice(0, 200), title: toTitle(step), status })
  const take = (cards: TaskChunk[]) => {
    for (const { id, title, status } of cards) shown.set(id, `${status} ${title}`)
    return cards
  }
  const open = () => [...steps.values()].filter(({ state }) => state === 'pending' || state === 'running')

  const takeNews = () => take([...steps.values()].map((step) => toCard(step)).filter(({ id, title, status }) => shown.get(id) !== `${status} ${title}`))

  return {
    note(step) {
      if (since === 0) since = now()
      steps.set(step.id, step)
    },
    isDue: () => steps.size >= leastSteps || (steps.size > 0 && now() - since >= slowMs),
    isOpen: () => open().length > 0,
    takeNews,
    takeOpen: () => take(open().map((step) => toCard(step))),
    leave(status) {
      const ends = open().map((step) => toCard(step, status))
      const ended = takeNews().filter(({ id }) => !ends.some((end) => end.id === id))
      return [...ended, ...take(ends)]
    },
  }
}

/** A step and whose it is: `PM: What shipped last week`. */
function toTitle({ title, agent }: Step): string {
  const line = title.replace(/\s+/g, ' ').trim() || 'A step'
  return `${toAgentTitle(agent)}: ${line}`.slice(0, 200)
}

function toAgentTitle(name: string): string {
  try {
    return findAgent(name).title
  } catch {
    // Of a newer server.
    return name
  }
}
