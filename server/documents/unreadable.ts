import type { DocumentFault } from '#db/tenant/documents.ts'
import { NuraError } from '#db/nura-error.ts'

/** A document that cannot be read as it is. The message is for whoever gave it, and says what to give instead. */
export class Unreadable extends NuraError {
  readonly faults: DocumentFault[]
  readonly pages: number | null

  constructor(message: string, { faults = [], pages = null, cause }: { faults?: DocumentFault[]; pages?: number | null; cause?: unknown } = {}) {
    super('unreadable-document', message, { cause })
    this.faults = faults
    this.pages = pages
  }
}
