import type { Logger } from 'pino'
import { NuraError } from '#db/nura-error.ts'
import type { Report } from '#server/answer-part.ts'
import { wait } from '../ask.ts'
import { drawChart } from '../chart/draw-chart.ts'
import { refusalOf } from './call.ts'
import { isBlockRefusal } from './reply.ts'
import type { Reply } from './reply.ts'
import { mostReports } from './report-blocks.ts'

/** Slack looks at a new file before it may be shown, and says so in no other way than by refusing: milliseconds between tries. */
const looksMs = [0, 1000, 2000, 4000]

/**
 * Adds the charts of its reports to an answer that is already there and whole, for drawing and Slack's look at a file take
 * seconds. Where it fails the answer stays as it is: its table and figures tell the same numbers.
 *
 * @param show shows the message with these pictures, by the place of their report, and may be refused
 */
export async function illustrate(reports: Report[], reply: Reply, show: (pictures: ReadonlyMap<number, string>) => Promise<void>, { signal, log }: { signal: AbortSignal; log: Logger }): Promise<void> {
  const charts = chartsOf(reports)
  if (charts.length === 0) return
  try {
    const pictures = new Map<number, string>()
    for (const { chart, place } of charts) {
      signal.throwIfAborted()
      const { png } = await drawChart(chart)
      pictures.set(place, await reply.upload({ bytes: png, name: `chart-${place + 1}.png`, title: chart.title.slice(0, 200) || 'Chart' }))
    }
    await showWhenLookedAt(() => show(pictures), signal)
  } catch (error) {
    if (error instanceof NuraError && error.code === 'stale-attempt') throw error
    const refusal = refusalOf(error)
    const remedy = refusal === 'missing_scope' ? 'install the app again, so that it has the right files:write' : 'the answer stays without its picture'
    log.warn({ err: error, refusal }, `chart not shown: ${remedy}`)
    await reply.dropFiles()
  }
}

/** The pictures that a reply has already, by the place of their report; none where they are not those of these reports. */
export function keptPictures(reports: Report[], files: readonly string[]): ReadonlyMap<number, string> {
  const charts = chartsOf(reports)
  return new Map(charts.length === files.length ? charts.map(({ place }, at) => [place, files[at] ?? '']) : [])
}

function chartsOf(reports: Report[]) {
  return reports.slice(0, mostReports).flatMap(({ chart }, place) => (chart === null ? [] : [{ chart, place }]))
}

async function showWhenLookedAt(show: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (const [tries, ms] of looksMs.entries()) {
    await wait(ms, signal)
    try {
      return await show()
    } catch (error) {
      if (!isBlockRefusal(error) || tries === looksMs.length - 1) throw error
    }
  }
}
