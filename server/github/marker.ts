/**
 * The hidden last line by which a comment of ours is told from our others. It says nothing: state lives in the database,
 * and a marker that anyone else wrote means nothing.
 * @param marker a uuid
 */
export function withMarker(body: string, marker: string): string {
  return `${body.trimEnd()}\n\n${toMarker(marker)}`
}

export function hasMarker(body: string, marker: string): boolean {
  return body.trimEnd().endsWith(toMarker(marker))
}

function toMarker(marker: string): string {
  return `<!-- nura:${marker} -->`
}
