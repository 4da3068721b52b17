import { askSurfaces } from './figures/ask-surfaces.ts'
import { checkDays } from './figures/check-days.ts'
import { holdAgainst } from './figures/hold-against.ts'
import type { Held } from './figures/hold-against.ts'
import { readFigureSet } from './figures/question-set.ts'
import { readHistory } from './figures/read-history.ts'
import { openReplay } from './figures/replay.ts'
import type { Fates } from './figures/replay.ts'

export type FiguresResult = {
  pulls: number
  issues: number
  releases: number
  fates: Fates
  rows: { question: string; at: string; timeZone: string; agent: string | null; text: string; held: Held[] }[]
  /** Things that differ from what was counted by hand, or between the surfaces. */
  differences: number
}

const managers = new URL('questions/managers.json', import.meta.url)

/**
 * Lets a tenant live through the history of a repository, asks what those who answer for others' work ask, and holds every number
 * against the one that is counted from git. Each question is asked from all surfaces, which must hear the same.
 */
export async function measureFigures(dir: string, onProgress: (done: number, total: number) => void, file: URL | string = managers): Promise<FiguresResult> {
  const set = await readFigureSet(file)
  const history = await readHistory(dir, set.repositories, new Date(set.since))
  await checkDays(dir, [...new Set(set.questions.map(({ timeZone }) => timeZone))])
  const replay = await openReplay(dir, history, set)
  try {
    const rows: FiguresResult['rows'] = []
    for (const question of set.questions) {
      if (rows.at(-1)?.at !== question.at) await replay.moveTo(new Date(question.at))
      const { slack, ...others } = await askSurfaces(replay.fetchAs, question.question, question.timeZone, String(rows.length))
      const held = holdAgainst(history, question, slack, set.teams)
      for (const [surface, told] of Object.entries(others)) {
        const equal = JSON.stringify(told) === JSON.stringify(slack)
        held.push({ what: `in ${surface}`, nura: equal ? 'as in slack' : 'something else', byHand: 'as in slack', equal })
      }
      rows.push({ question: question.question, at: question.at, timeZone: question.timeZone, agent: slack.agent, text: slack.text, held })
      onProgress(rows.length, set.questions.length)
    }
    const differences = rows.reduce((sum, { held }) => sum + held.filter(({ equal }) => !equal).length, 0)
    return { pulls: history.pulls.length, issues: history.issues.length, releases: history.releases.length, fates: replay.fates, rows, differences }
  } finally {
    await replay.close()
  }
}
