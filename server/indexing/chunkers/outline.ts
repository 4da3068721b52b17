import type { EdgeWrite } from '#db/tenant/write-files.ts'
import type { Block } from '../split-lines.ts'
import type { Definition } from '../symbols.ts'

/** What a chunker finds in a file: how it may be cut, and what it defines and names. */
export type Outline = {
  chunker: 'code' | 'markdown' | 'text'
  blocks: Block[]
  definitions: Definition[]
  edges: EdgeWrite[]
  /** Share of the cap up to which neighbours are put together. */
  fill: number
  /** Frees what the blocks hold on to; they are not to be read after it. */
  close?(): void
}
