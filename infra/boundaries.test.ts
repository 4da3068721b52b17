import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { basename, join } from 'node:path'
import { analyse } from 'scslre'
import { Visitor } from 'vite'
import { expect, test } from 'vitest'
import { readSources } from './testing/read-sources.ts'
import type { SourceFile } from './testing/read-sources.ts'

const root = join(import.meta.dirname, '..')
const sources = readSources(root)

const isTest = (path: string) => path.endsWith('.test.ts')
const isTesting = (path: string) => isTest(path) || path.includes('/testing/')
/** What starts a process: the only files that read the command line, end the process, and compose all the folders. */
const isEntry = (path: string) => basename(path) === 'main.ts' || /^infra\/[a-z-]+\.ts$/.test(path)
const production = sources.filter(({ path }) => !isTesting(path))
const top = (path: string) => path.split('/')[0]!

/** What a file of a folder may import from another top-level folder. Entry points compose; tests may reach anywhere. */
const mayImport: Record<string, RegExp> = {
  db: /^$/,
  server: /^db\//,
  jobs: /^(server|db)\//,
  bot: /^(server\/|db\/(nura-error|read-env|index|open-db)\.ts|db\/shared\/(inbox[a-z-]*|readers|[a-z-]*installations?|slack-[a-z-]+)\.ts)/,
  infra: /^(bot|server|jobs|db)\//,
  eval: /^(bot|server|jobs|db)\//,
  bench: /^(bot|server|jobs|db|infra)\//,
}

/** The one home of each package. A new dependency gets a line here. */
const homes: [packages: RegExp, home: RegExp][] = [
  [/^@slack\//, /^bot\/(slack|testing)\//],
  [/^(botbuilder|botframework-)/, /^bot\/teams\//],
  [/^bullmq(\/|$)/, /^jobs\//],
  [/^ioredis(\/|$)/, /^(jobs|server\/cache)\//],
  [/^rate-limiter-flexible$/, /^(server\/rate-limits|bot\/teams\/connector)\.ts$/],
  [/^(@mikro-orm\/|@electric-sql\/|(pgvector|kysely|pg)(\/|$))/, /^db\//],
  [/^@langchain\/community\//, /^server\/(sources|documents)\//],
  [/^(@langchain\/(?!community\/)|langsmith(\/|$))/, /^server\/agents\//],
  [/^(unpdf|mammoth|yauzl|busboy|html-to-text)(\/|$)/, /^server\/documents\//],
  [/^undici$/, /^server\/(documents|sources)\//],
  [/^htmlparser2$/, /^(server\/((documents|sources)\/|visible-markdown\.ts$)|bot\/teams\/)/],
  [/^(pdf-lib|docx)$/, /^(bench\/|server\/testing\/)/],
  [/^@opentelemetry\//, /^server\/tracing\//],
  [/^(web-tree-sitter|@vscode\/tree-sitter-wasm|@secretlint\/|ignore$)/, /^server\/(indexing|sources)\//],
  [/^stemmer$/, /^server\/tokens\.ts$/],
  [/^(koa|@koa\/)/, /^(server|bot)\//],
  [/^(pino|prom-client|jose)$/, /^(server|bot)\//],
  [/^eventsource-parser/, /^(bot|bench)\//],
  [/^cli-progress$/, /^(infra|bot\/terminal)\//],
  [/^openai(\/|$)/, /^(server\/models|bench)\//],
  [/^@aws-sdk\/client-kms$/, /^db\/keys\//],
  [/^(@anthropic-ai\/|@aws-sdk\/|cockatiel$)/, /^server\/models\//],
  [/^(mdast|mdast-util-|micromark)/, /^server\/(github\/|visible-markdown\.ts$)/],
  [/^(octokit|@octokit\/)/, /^server\/(github|sources)\//],
  [/^diff$/, /^server\/github\//],
  [/^(vega|vega-lite|@resvg\/resvg-wasm|dejavu-fonts-ttf)$/, /^bot\/chart\//],
  [/^lru-cache$/, /^(server\/(github|cache|models)|bot\/teams|db\/keys)\/|^bot\/busy-notes\.ts$/],
  [/^fast-check$/, /^infra\/attacks\//],
  [/^tar-stream$/, /^server\/sources\//],
  [/^yaml$/, /^server\/indexing\//],
  [/^(zod$|node:)/, /^/],
]

/** Packages that no file imports, with the reason they are listed. */
const unimported = [
  '@notionhq/client', // asked for at run time by LangChain's loader of Notion
  'notion-to-md', // the same
  '@vscode/tree-sitter-wasm', // grammars, read as files
  'dejavu-fonts-ttf', // fonts, read as files
]

function faults(files: SourceFile[], check: (source: SourceFile) => Iterable<string>): string[] {
  return files.flatMap((source) => [...check(source)].map((fault) => `${source.path}: ${fault}`))
}

test('folders import only the folders below them', () => {
  const found = faults(production, ({ path, imports }) =>
    imports.flatMap(({ specifier, to, typeOnly }) => {
      if (!to || to === 'package.json' || top(to) === top(path) || isEntry(path)) return []
      if (typeOnly && to === 'jobs/enqueue.ts') return []
      return mayImport[top(path)]?.test(to) ? [] : [`may not import ${specifier}`]
    }),
  )
  expect(found).toEqual([])
})

test('what serves tests is imported by tests, benches and evaluations alone', () => {
  const found = faults(production, ({ path, imports }) =>
    imports.flatMap(({ specifier, to }) => (to && isTesting(to) && !/^(bench|eval|infra)\//.test(path) ? [`may not import ${specifier}`] : [])),
  )
  expect(found).toEqual([])
})

test('imports name the file: ./x.ts within a folder, #folder/x.ts across', () => {
  const found = faults(sources, ({ path, imports }) =>
    imports.flatMap(({ specifier, to }) => {
      if (!/^[.#]/.test(specifier)) return []
      if (!to || !/\.(ts|json)$/.test(specifier)) return [`${specifier} names no file`]
      return specifier.startsWith('#') === (top(to) !== top(path)) ? [] : [`${specifier} is ${top(to)} seen from ${top(path)}`]
    }),
  )
  expect(found).toEqual([])
})

test('each package has one home folder', () => {
  const found = faults(production, ({ path, imports }) =>
    imports.flatMap(({ specifier, to }) => {
      if (to || /^[.#]/.test(specifier) || /^(infra|bench|eval)\//.test(path)) return []
      const home = homes.find(([packages]) => packages.test(specifier))?.[1]
      return home?.test(path) ? [] : [`${specifier} lives in ${home?.source ?? 'no folder yet: give it a home'}`]
    }),
  )
  expect(found).toEqual([])
})

test('every dependency is used', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  const used = new Set(sources.flatMap(({ imports }) => imports.map(({ specifier }) => specifier)))
  const isUsed = (name: string) => [...used].some((specifier) => specifier === name || specifier.startsWith(`${name}/`))
  expect(Object.keys(dependencies).filter((name) => !isUsed(name) && !unimported.includes(name))).toEqual([])
})

test('only config.ts reads the environment, only an entry point ends the process, importing does nothing', () => {
  const found = faults(production, ({ path, program }) => {
    const names: string[] = []
    new Visitor({
      MemberExpression({ object, property }) {
        if (object.type === 'Identifier' && object.name === 'process' && property.type === 'Identifier') names.push(property.name)
      },
    }).visit(program)
    const env = names.includes('env') && basename(path) !== 'config.ts' && !/^infra\/run-tests\.ts$/.test(path)
    const end = names.some((name) => ['exit', 'on', 'once', 'exitCode', 'argv'].includes(name)) && !isEntry(path)
    const acts = program.body.some(({ type }) => type === 'ExpressionStatement') && !isEntry(path)
    return [...(env ? ['reads process.env'] : []), ...(end ? ['ends or steers the process'] : []), ...(acts ? ['acts when imported'] : [])]
  })
  expect(found).toEqual([])
})

test('T35: no regular expression takes time that doubles with each character of what it reads', () => {
  const found = faults(production, ({ program }) => {
    const slow: string[] = []
    new Visitor({
      Literal(literal) {
        if (!('regex' in literal)) return
        const { pattern, flags } = literal.regex
        if (analyse(new RegExp(pattern, flags)).reports.some(({ exponential }) => exponential)) slow.push(`/${pattern}/${flags} takes exponential time`)
      },
    }).visit(program)
    return slow
  })
  expect(found).toEqual([])
})

test('names: kebab-case, no default exports, no barrels, no words that say nothing', () => {
  // MikroORM's own word, EntityManager, is let through.
  const empty = /(^|-)(utils?|helpers?|common|(?<!entity-)managers?|services?|base|handlers?|processors?|wrappers?|types|misc)(-|$)/
  const written = sources.filter(({ path }) => !path.endsWith('.d.ts'))
  const found = faults(written, ({ path, program }) => {
    const parts = path.replace(/(\.test|\.d)?\.ts$/, '').split('/')
    return [
      ...parts.filter((part) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part)).map((part) => `"${part}" is not kebab-case`),
      ...parts.filter((part) => empty.test(part)).map((part) => `"${part}" says nothing`),
      ...program.body.flatMap((statement) => {
        if (statement.type === 'ExportDefaultDeclaration') return ['has a default export']
        const again = statement.type === 'ExportAllDeclaration' || (statement.type === 'ExportNamedDeclaration' && statement.source)
        return again && statement.exportKind === 'value' ? ['exports what another file has'] : []
      }),
    ]
  })
  expect(found).toEqual([])
})

test('no two files load each other, by whatever way', () => {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const state = new Map<string, 'open' | 'done'>()
  const cycles: string[] = []
  function visit(path: string, way: string[]): void {
    if (state.get(path) === 'open') cycles.push([...way.slice(way.indexOf(path)), path].join(' → '))
    if (state.has(path)) return
    state.set(path, 'open')
    for (const { to, typeOnly } of byPath.get(path)?.imports ?? []) if (to && !typeOnly) visit(to, [...way, path])
    state.set(path, 'done')
  }
  for (const { path } of sources) visit(path, [])
  expect(cycles).toEqual([])
})

test('Node runs every file as it stands: types can be stripped', () => {
  const found = faults(sources, ({ text }) => {
    try {
      stripTypeScriptTypes(text)
      return []
    } catch (cause) {
      return [String((cause as Error).message).split('\n')[0]!]
    }
  })
  expect(found).toEqual([])
})

test('T7: no graph keeps its state between runs: nothing makes a checkpointer, and none is given to a compiled graph', () => {
  const saver = /\b(MemorySaver|BaseCheckpointSaver|InMemoryStore|\w+Saver)\b|langgraph-checkpoint/
  const found = faults(production, ({ text }) => (text.match(new RegExp(saver, 'g')) ?? []).map((word) => `has ${word}: state of one tenant would be in reach of another's thread id`))
  expect(found).toEqual([])
  const compiled = production.flatMap(({ path, text }) => [...text.matchAll(/\.compile\(([^)]*)\)/g)].map(([, given = '']) => `${path}: ${given}`))
  expect(compiled.filter((each) => /server\/agents\//.test(each)).length).toBeGreaterThan(0)
  expect(compiled.filter((each) => /checkpoint|store/i.test(each))).toEqual([])
})

test('T38: no package is one of those whose stored state could be made to run code or leave its filter', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, { version?: string }> }
  const installed = Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, ''))
  // CVE-2025-67644 (SQLite saver), CVE-2026-27022 (Redis saver) and CVE-2026-28277 (state that is read back) are about savers: without one of them none is reached.
  const savers = installed.filter((name) => /^@langchain\/langgraph-checkpoint-/.test(name))
  expect(savers).toEqual([])
  expect(installed).toContain('@langchain/langgraph')
})
