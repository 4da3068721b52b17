import type { DocumentFault } from '#db/tenant/documents.ts'

/** What was read of a document: text with Markdown's headings. `faults` names what is missing of it. */
export type Extracted = { text: string; pages: number | null; faults: DocumentFault[] }

/** Most characters of one document's text; a book of a thousand pages has some three million. */
export const longestText = 10_000_000

/** Cuts what is longer, and says so. */
export function withinLongest({ text, pages, faults }: Extracted): Extracted {
  if (text.length <= longestText) return { text, pages, faults }
  return { text: text.slice(0, longestText).toWellFormed(), pages, faults: [...faults, { page: null, reason: `its text is longer than ${longestText / 1_000_000} million characters; what follows was not read` }] }
}
