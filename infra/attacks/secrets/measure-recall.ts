import { redact } from '#server/indexing/redact.ts'
import { createDraw, fill, pick } from './draw.ts'
import { revealing } from './revealing.ts'
import { secretKinds } from './secret-kinds.ts'
import type { SecretKind } from './secret-kinds.ts'
import { assignments, bare } from './secret-places.ts'

/** How often samples of a kind were found, and which were not. */
export type Recall = { kind: SecretKind; drawn: number; found: number; missed: { place: string; secret: string }[] }

/** Draws `each` samples of every kind, each in a place of its own, and redacts them. */
export async function measureRecall(seed: number, each: number): Promise<Recall[]> {
  const draw = createDraw(seed)
  const recalls: Recall[] = []
  for (const kind of secretKinds) {
    const recall: Recall = { kind, drawn: 0, found: 0, missed: [] }
    // A name that says nothing, so that a typed secret is found by itself.
    const places = kind.group === 'typed' ? [...bare, ...assignments] : assignments
    for (let at = 0; at < each; at++) {
      const secret = fill(kind.shape, draw)
      const place = pick(places, draw)
      const { text } = await redact(place.write(kind.called ?? 'value', secret, draw))
      recall.drawn++
      if (revealing(secret).some((part) => text.includes(part))) recall.missed.push({ place: place.name, secret })
      else recall.found++
    }
    recalls.push(recall)
  }
  return recalls
}
