import { detectors } from './detectors.ts'

export type Secret = { start: number; end: number; kind: string }

/**
 * Where a text holds secrets, by our own table of detectors alone: what the log asks of each line, and one half of what
 * `redact` asks of each text. Finds may overlap.
 */
export function findSecrets(text: string): Secret[] {
  return detectors
    .filter(({ needs }) => needs?.test(text) ?? true)
    .flatMap(({ kind, pattern, accepts }) =>
      [...text.matchAll(pattern)].flatMap((match) => {
        // What a pattern captures is the secret, and stands at its end; one that captures nothing is all secret.
        const secret = match.slice(1).find((group) => group !== undefined) ?? match[0]
        const end = match.index + match[0].length
        return (accepts?.(secret) ?? true) ? [{ start: end - secret.length, end, kind: typeof kind === 'string' ? kind : kind(secret) }] : []
      }),
    )
}

/** Overlapping finds are one secret; the first kind names it. */
export function mergeSecrets(secrets: Secret[]): Secret[] {
  const merged: Secret[] = []
  for (const secret of secrets.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1)
    if (last && secret.start < last.end) last.end = Math.max(last.end, secret.end)
    else if (secret.end > secret.start) merged.push({ ...secret })
  }
  return merged
}
