/** Blocks that Slack takes a message. */
export const mostBlocks = 50

/** What fits where. Slack takes 12,000 characters and 50 blocks a message and turns one markdown block into many. */
export const limits = {
  /** The budget of a reply: what people read without scrolling. */
  first: 2200,
  next: 11_400,
  blocks: 45,
} as const
