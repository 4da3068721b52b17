import { declaredEncoding, decode } from './decode.ts'
import type { Extracted } from './extracted.ts'
import { Unreadable } from './unreadable.ts'

/** @throws Unreadable when there is nothing but blanks */
export function extractText(bytes: Buffer, mediaType: string): Extracted {
  const text = decode(bytes, declaredEncoding(Buffer.alloc(0), mediaType)).trim()
  if (text === '') throw new Unreadable('The document holds no text.')
  return { text, pages: null, faults: [] }
}
