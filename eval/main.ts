import { writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { printable } from '#bot/terminal/printable.ts'
import { readDbConfig } from '#db/config.ts'
import { openDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { readTogether } from '#db/read-env.ts'
import { agents } from '#server/agents/index.ts'
import { readServerConfig } from '#server/config.ts'
import { createCore } from '#server/create-core.ts'
import { readGithubConfig } from '#server/github/config.ts'
import { createLog } from '#server/log.ts'
import { createMetrics } from '#server/metrics.ts'
import { measureAnswers, toAnswersTable } from './answers.ts'
import type { AnswersResult } from './answers.ts'
import { replayFeedback, tellFeedback } from './feedback.ts'
import { measureFigures } from './figures.ts'
import { baselines, measureFiles, type FilesResult } from './files.ts'
import { goldenRankers, measureGolden, measureSentences } from './golden.ts'
import type { GoldenResult } from './golden.ts'
import { mean } from './measures.ts'
import { measurePassages } from './passages.ts'
import { crossValidateRouter, evaluateRouter } from './router.ts'
import { toTable } from './table.ts'
import { tellApart } from './tell-apart.ts'

const usage = `Usage: npm run eval -- files --repo DIR… [--questions N] [--json FILE]
       npm run eval -- passages --set FILE… [--json FILE]
       npm run eval -- passages --set FILE --repo DIR [--set FILE --repo DIR]… [--json FILE]
       npm run eval -- sentences --repo DIR… [--questions N] [--json FILE]
       npm run eval -- answers --set FILE… [--json FILE]
       npm run eval -- router --set FILE… [--json FILE]
       npm run eval -- managers --repo DIR [--set FILE] [--json FILE]
       npm run eval -- --feedback TENANT [--questions N] [--json FILE]`

const questionsOfRepository = 150
const three = (value: number) => value.toFixed(3)
const toInterval = ({ difference, low, high }: { difference: number; low: number; high: number }) => `${three(difference)} (${three(low)} to ${three(high)})`

type Options = { repo: string[]; set: string[]; questions: number; feedback: string | undefined }

/** Null where the options are not enough. A task that counts `differences` fails when there are any. */
const tasks: Record<string, (options: Options) => Promise<object | null>> = {
  async files({ repo, questions }) {
    if (repo.length === 0) return null
    const results: FilesResult[] = []
    const names = tellApart(repo.map((dir) => resolve(dir)))
    for (const [at, dir] of repo.entries()) {
      const show = (done: number, total: number) => done % 25 === 0 && console.error(`${dir}: ${done} of ${total} questions`)
      results.push({ ...(await measureFiles(resolve(dir), questions, show)), repository: names[at]! })
    }
    const head = ['repository', 'measure', 'Nura', ...baselines, ...baselines.map((name) => `Nura − ${name} (95 %)`)]
    const measures = [
      ['nDCG@10', 'ndcg10'],
      ['MRR', 'mrr'],
      ['R@5', 'recall5'],
      ['R@10', 'recall10'],
    ] as const
    const rows = results.flatMap(({ repository, questions: asked, scores, against }) =>
      measures.map(([title, measure], at) => [
        at === 0 ? `${repository} (${asked})` : '',
        title,
        three(scores.Nura[measure]),
        ...baselines.map((name) => three(scores[name][measure])),
        ...baselines.map((name) =>
          at === 0 ? toInterval(against[name]) : '',
        ),
      ]),
    )
    const means = [
      'mean',
      'nDCG@10',
      three(mean(results.map(({ scores }) => scores.Nura.ndcg10))),
      ...baselines.map((name) => three(mean(results.map(({ scores }) => scores[name].ndcg10)))),
    ]
    console.log(toTable(head, [...rows, means]))
    return results
  },

  async passages({ repo, set }) {
    if (repo.length === 0 && set.length > 0) return await measureSets(set)
    if (set.length === 0 || set.length !== repo.length) return null
    const results = []
    const names = tellApart(repo.map((dir) => resolve(dir)))
    for (const [at, dir] of repo.entries()) results.push({ ...(await measurePassages(resolve(dir), set[at]!)), repository: names[at]! })
    const rows = results.map((result) => [
      `${result.repository} (${result.questions})`,
      ...[result.hit1, result.hit5, result.mrr, result.wrongAbstentions, result.wrongAnswers].map(three),
    ])
    console.log(toTable(['repository', 'hit@1', 'hit@5', 'MRR', 'wrongly not found', 'wrongly answered'], rows))
    for (const { rows: asked } of results)
      for (const { question, expected, place } of asked)
        if (expected.length > 0 && place !== 1) console.log(`  ${place === 0 ? 'missed' : `place ${place}`}: ${question}`)
    return results
  },

  async sentences({ repo, questions }) {
    if (repo.length === 0) return null
    const results: GoldenResult[] = []
    const names = tellApart(repo.map((dir) => resolve(dir)))
    for (const [at, dir] of repo.entries()) results.push(...(await measureSentences(resolve(dir), names[at]!, questions)))
    tellGolden(results)
    return results
  },

  async answers({ set }) {
    if (set.length === 0) return null
    const config = readServerConfig()
    const results: AnswersResult[] = []
    for (const file of set) results.push(await measureAnswers(resolve(file), config, (done, total) => done % 25 === 0 && console.error(`${file}: ${done} of ${total} answers`)))
    console.log(toTable(...toAnswersTable(results)))
    for (const [kind, shares] of Map.groupBy(results.flatMap(({ abstains }) => Object.entries(abstains.kinds)), ([kind]) => kind)) {
      const sum = (of: 'hits' | 'of') => shares.reduce((total, [, share]) => total + share[of], 0)
      console.log(`  ${kind}: abstains ${sum('hits')} of ${sum('of')}`)
    }
    return results
  },

  async router({ set }) {
    if (set.length === 0) return null
    const sets = []
    for (const file of set) sets.push({ title: basename(file, '.json'), report: await evaluateRouter(file) })
    const crossed = []
    for (const withCues of [true, false]) crossed.push({ title: `by author and template${withCues ? '' : ', no cues'}`, report: await crossValidateRouter(set, withCues) })
    const rows = [...sets, ...crossed].map(({ title, report: { questions, macroF1, byAgent, unclear } }) => [
      `${title} (${questions})`,
      ...[macroF1, ...byAgent.map(({ recall }) => recall), unclear.share, unclear.decidedRight].map(three),
      ...[unclear.firstRight, unclear.likeliestRight].map((share) => (unclear.share === 0 ? '–' : three(share))),
    ])
    console.log(toTable(['asked', 'macro-F1 (≥ .85)', ...agents.map(({ name }) => `recall ${name}`), 'unclear', 'decided right', 'unclear: first right', 'unclear: likeliest right'], rows))
    const { authors, templates } = crossed[0]!.report
    console.log(`${Object.entries(authors).map(([author, count]) => `${count} by ${author}`).join(', ')}; ${templates} templates`)
    for (const { title, report: { p50Ms, p99Ms } } of sets) console.log(`${title}: a choice takes ${p50Ms.toFixed(3)} ms (p50), ${p99Ms.toFixed(3)} ms (p99; goal < 2)`)
    return { sets, crossed }
  },

  async managers({ repo, set }) {
    if (repo.length !== 1 || set.length > 1) return null
    const result = await measureFigures(resolve(repo[0]!), (done, total) => done % 10 === 0 && console.error(`${done} of ${total} questions`), set[0])
    const rows = result.rows.flatMap(({ question, timeZone, held }) =>
      held.map(({ what, nura, byHand, equal }, at) => [at === 0 ? question : at === 1 ? `  ${timeZone}` : '', what, nura, byHand, equal ? 'yes' : 'NO']),
    )
    console.log(toTable(['question', 'figure', 'Nura', 'by hand', 'equal'], rows))
    const { delivered, doubled, late, dropped } = result.fates
    console.log(`${result.pulls} pull requests, ${result.issues} issues, ${result.releases} releases; deliveries: ${delivered} told, ${doubled} doubled, ${late} late, ${dropped} lost`)
    console.log(`${result.rows.length} questions, ${rows.length} things held against the history, ${result.differences} differ`)
    return result
  },

  async feedback({ feedback, questions }) {
    if (feedback === undefined) return null
    const { dbConfig, config, githubConfig } = readTogether({ dbConfig: readDbConfig, config: readServerConfig, githubConfig: readGithubConfig })
    const db = await openDb(dbConfig)
    try {
      await db.ready()
      const core = createCore({ config, githubConfig, db, log: createLog({ level: 'error', process: 'eval', destination: process.stderr }), metrics: createMetrics() })
      const result = await replayFeedback({ db, core }, feedback, questions, new AbortController().signal).finally(() => core.close())
      console.log(printable(tellFeedback(result)))
      return result
    } finally {
      await db.close()
    }
  },
}

/** Sets that bring their documents along. */
async function measureSets(files: string[]): Promise<object> {
  const results: GoldenResult[] = []
  for (const file of files) results.push(await measureGolden(resolve(file)))
  tellGolden(results)
  return results
}

function tellGolden(results: GoldenResult[]): void {
  const rows = results.flatMap(({ set, questions, scores, against }) =>
    goldenRankers.map((ranker) => {
      const { pass5, pass10, pass20, recall3, mrr3 } = scores[ranker]
      const [title, held] = ranker === 'Nura' ? [`${set} (${questions})`, ''] : ['', toInterval(against[ranker])]
      return [title, ranker, ...[pass5, pass10, pass20, recall3, mrr3].map(three), held]
    }),
  )
  console.log(toTable(['set', 'ranking', 'Pass@5', 'Pass@10', 'Pass@20', 'R@3', 'MRR@3', 'Pass@5: Nura − it (95 %)'], rows))
}

async function main(): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        repo: { type: 'string', multiple: true },
        set: { type: 'string', multiple: true },
        questions: { type: 'string' },
        json: { type: 'string' },
        feedback: { type: 'string' },
      },
    })
    // `--repo A B C` reads as well as `--repo A --repo B --repo C`.
    const [name = values.feedback === undefined ? '' : 'feedback', ...more] = positionals
    const questions = Number(values.questions ?? questionsOfRepository)
    const run = tasks[name]
    const options = {
      repo: [...(values.repo ?? []), ...(values.repo ? more : [])],
      set: [...(values.set ?? []), ...(values.repo ? [] : more)],
      questions,
      feedback: values.feedback,
    }
    const result = run && Number.isInteger(questions) && questions > 0 ? await run(options) : null
    if (result === null) {
      console.error(usage)
      return 2
    }
    if (values.json)
      await writeFile(values.json, `${JSON.stringify({ task: name, at: new Date().toISOString(), result }, null, 2)}\n`)
    return 'differences' in result && result.differences !== 0 ? 1 : 0
  } catch (error) {
    if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
      console.error(`${error.message}\n${usage}`)
      return 2
    }
    console.error(error instanceof NuraError ? error.message : error)
    return 1
  }
}

process.exitCode = await main()
