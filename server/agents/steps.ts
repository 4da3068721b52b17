import type { Step } from '../answer-part.ts'
import { findAgent } from './index.ts'
import type { View } from './plan-views.ts'

/** A view as a step that people see. */
export function toStep({ agent, question }: View, at: number, state: Step['state']): Step {
  return { id: `view-${at + 1}`, title: `${findAgent(agent).title}: ${question}`, agent, state }
}
