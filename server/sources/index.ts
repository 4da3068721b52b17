import type { Source } from './source.ts'
import { createGitSource } from './git.ts'

/** A kind of source: how one is opened from the location that its repository row names. */
export type SourceKind = { kind: Source['kind']; create(location: string): Source }

/** Every kind of source that Nura can index. A new one is its file and a line here. */
export const sourceKinds: readonly SourceKind[] = [{ kind: 'git', create: createGitSource }]
