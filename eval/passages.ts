import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { z } from 'zod'
import { search } from '#server/retrieval/search.ts'
import { mean } from './measures.ts'
import { openIndex } from './open-index.ts'

/** Questions as people ask them, each with the files that hold the answer; none for a question about something else. */
const PassagesSet = z.array(z.object({ question: z.string().min(1), files: z.array(z.string()) })).min(1)

export type PassagesResult = {
  repository: string
  questions: number
  /** Share of the answerable questions whose first passage, and one of whose first five files, holds the answer. */
  hit1: number
  hit5: number
  mrr: number
  /** Share of the answerable questions that would be answered «not found», and of the others that would not. */
  wrongAbstentions: number
  wrongAnswers: number
  rows: { question: string; expected: string[]; ranked: string[]; place: number; strength: number; missing: string[] }[]
}

/** Asks each question of a set of the head of a checkout. */
export async function measurePassages(dir: string, setFile: string): Promise<PassagesResult> {
  const set = PassagesSet.parse(JSON.parse(await readFile(setFile, 'utf8')))
  const index = await openIndex(dir)
  try {
    await index.moveTo(null)
    const rows: (PassagesResult['rows'][number] & { isEnough: boolean })[] = []
    for (const { question, files } of set) {
      const { passages, strength } = await search(index.parts, index.tenant, { question, audience: { kind: 'tenant' } })
      const ranked = [...new Set(passages.map(({ path }) => path))]
      const place = ranked.findIndex((path) => files.includes(path)) + 1
      rows.push({
        question,
        expected: files,
        ranked: ranked.slice(0, 10),
        place,
        strength: strength.value,
        missing: strength.missing,
        isEnough: strength.isEnough,
      })
    }
    const inside = rows.filter(({ expected }) => expected.length > 0)
    const outside = rows.filter(({ expected }) => expected.length === 0)
    const share = (of: typeof rows, test: (row: (typeof rows)[number]) => boolean) => mean(of.map((row) => Number(test(row))))
    return {
      repository: basename(dir),
      questions: inside.length,
      hit1: share(inside, ({ place }) => place === 1),
      hit5: share(inside, ({ place }) => place >= 1 && place <= 5),
      mrr: mean(inside.map(({ place }) => (place === 0 ? 0 : 1 / place))),
      wrongAbstentions: share(inside, ({ isEnough }) => !isEnough),
      wrongAnswers: share(outside, ({ isEnough }) => isEnough),
      rows: rows.map(({ isEnough: _, ...row }) => row),
    }
  } finally {
    await index.close()
  }
}
