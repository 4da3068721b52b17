import type { DocumentFault } from '#db/tenant/documents.ts'
import type { Extracted } from '../extracted.ts'

/** What the thread says at its end, in a form that can pass between threads. */
export type ThreadAnswer = { extracted: Extracted } | { unreadable: { message: string; faults: DocumentFault[]; pages: number | null } } | { failure: string }
