import { matchesGlob, toGlob } from '../indexing/glob.ts'
import type { Glob } from '../indexing/glob.ts'

/** One line of a CODEOWNERS file: who owns what it names. Without owners, nobody does. */
export type OwnerRule = { pattern: string; glob: Glob; owners: string[] }

const mostRules = 5_000
const account = /^@[a-z\d](?:[a-z\d-]{0,38})(?:\/[\w.-]{1,100})?$/i
const address = /^[^\s@]+@[^\s@]+\.[^\s@]+$/

/**
 * Reads a CODEOWNERS file as GitHub does: patterns as in `.gitignore` but without `!`, `[ ]` and an escaped `#`, owners as
 * `@login`, `@org/team` or an address; a line that is not so is skipped.
 */
export function parseCodeOwners(text: string): OwnerRule[] {
  return text.split(/\r?\n/, mostRules).flatMap((line) => {
    const [pattern, ...owners] = toWords(line)
    if (pattern === undefined || /^[!\\]|[[\]]/.test(pattern) || !owners.every((owner) => account.test(owner) || address.test(owner))) return []
    return [{ pattern, glob: toOwnersGlob(pattern), owners }]
  })
}

/** The last rule that names a path; null when none does, or it names nobody. */
export function findOwners(rules: readonly OwnerRule[], path: string): OwnerRule | null {
  const rule = rules.findLast(({ glob }) => matchesGlob(glob, path))
  return rule && rule.owners.length > 0 ? rule : null
}

/** Owners who have an account, which is all that is ever shown of them. */
export function toAccounts(owners: readonly string[]): string[] {
  return owners.filter((owner) => account.test(owner))
}

/** A pattern without a slash, but at its end, is found at any depth. */
function toOwnersGlob(pattern: string): Glob {
  const isAnchored = pattern.slice(0, -1).includes('/')
  return toGlob(isAnchored ? pattern : `**/${pattern}`)
}

/** Words up to a comment; a backslash keeps a space within a word. */
function toWords(line: string): string[] {
  const words = line.match(/(?:\\.|[^\s\\])+/g) ?? []
  const comment = words.findIndex((word) => word.startsWith('#'))
  return words.slice(0, comment < 0 ? undefined : comment).map((word) => word.replace(/\\ /g, ' '))
}
