import { join } from 'node:path'
import type { Attack } from '../attack.ts'
import { measureFalseHits } from './measure-false-hits.ts'
import { measureRecall } from './measure-recall.ts'
import type { Recall } from './measure-recall.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const bounds = { typed: 0.99, named: 0.95, generic: 0.9 } as const

/** How many of the secrets that are written somewhere the redaction finds, and how often it takes something else for one. */
export const secrets: Attack = {
  name: 'secrets',
  tries: 'to bring secrets of every kind past the redaction, in code, settings, diffs and chat, with the switches of other scanners beside them',
  async run({ seed, long, files = [], say }) {
    const recalls = await measureRecall(seed, long ? 200 : 20)
    for (const { kind, drawn, found, missed } of recalls) {
      if (missed[0]) say(`${kind.name}: ${found} of ${drawn}; missed in ${missed[0].place}`)
    }
    const folders = ['bot', 'server', 'jobs', 'db', 'infra', 'eval', 'bench', 'docs'].map((folder) => join(root, folder))
    const clean = await measureFalseHits([...folders, ...files])
    for (const { path, kinds } of clean.hits) say(`taken for a secret: ${kinds.join(', ')} in ${path}`)
    const rates = [clean]
    while (long && rates.length < 5) rates.push(await measureFalseHits(folders))
    const speed = rates.map(({ bytes, seconds }) => bytes / 1e6 / seconds).toSorted((a, b) => a - b)[Math.floor(rates.length / 2)]!
    return [
      ...(['typed', 'named', 'generic'] as const).map((group) => {
        const own = recalls.filter(({ kind }) => kind.group === group)
        const [drawn, found] = [sum(own, 'drawn'), sum(own, 'found')]
        return { measure: `${group} secrets found, ${own.length} kinds`, value: `${found} of ${drawn}`, bound: `≥ ${bounds[group] * 100} %`, holds: found >= bounds[group] * drawn }
      }),
      ...worst(recalls),
      { measure: 'clean files with a false hit', value: `${clean.hits.length} of ${clean.files}`, bound: '≤ 1 in 1,000', holds: clean.hits.length <= Math.max(1, clean.files / 1000) },
      { measure: 'MB a second and core', value: speed.toFixed(1), bound: 'told, not held', holds: true },
    ]
  },
}

/** Every typed kind is held to its bound by itself; a single miss among few samples is let through. */
function worst(recalls: Recall[]) {
  const typed = recalls.filter(({ kind }) => kind.group === 'typed')
  const broken = typed.filter(({ drawn, found }) => drawn - found > Math.max(1, (1 - bounds.typed) * drawn))
  return [{ measure: 'typed kinds below the bound', value: broken.map(({ kind }) => kind.name).join(', ') || 'none', bound: 'none', holds: broken.length === 0 }]
}

function sum(recalls: Recall[], of: 'drawn' | 'found'): number {
  return recalls.reduce((total, recall) => total + recall[of], 0)
}
