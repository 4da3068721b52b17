/** A prompt as data. `version` goes into the trace, so that an answer can be traced back to the words that asked for it. */
export type AgentPrompt = { version: number; text: string }

/** How an agent tells what the evidence holds. Same evidence, other order and other detail. */
export type Lens = {
  /** `code`: definitions first. `documents`: headings and prose first. `modules`: folders and the edges between them first. */
  first: 'code' | 'documents' | 'modules'
  /** Most code snippets in an answer; a question that asks for code gets one in any case. */
  snippets: 0 | 1 | 2 | 3
}

/**
 * An agent: a prompt, a model chain, a retrieval profile and a lens. It has no tools that write, and it never chooses
 * what may be retrieved: that is decided by the audience before the agent sees any text.
 */
export type Agent<Name extends string = string> = {
  readonly name: Name
  /** As people write it, such as `Dev`, `PM`, `Architect`. */
  readonly title: string
  /** One line for people: which questions it is for. */
  readonly purpose: string
  readonly prompt: AgentPrompt
  readonly lens: Lens
  /** Weight of each content type in the ranking; 1 is neutral. */
  readonly profile: Readonly<Record<'code' | 'documentation' | 'business', number>>
  /** Words by which a person asks for this agent, such as «as an architect», lower case. */
  readonly aliases: readonly string[]
  /** Words that speak for this agent on their own. */
  readonly cues: readonly string[]
  /** Questions that are this agent's, one a line of data; `choose` learns from them. */
  readonly examples: readonly string[]
}

/** Declares an agent; its name is inferred as a literal type. */
export function defineAgent<const Name extends string>(agent: Agent<Name>): Agent<Name> {
  return agent
}
