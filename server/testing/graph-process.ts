import { Annotation, END, START, StateGraph } from '@langchain/langgraph'
import { openLangsmith } from '../agents/langsmith/open-langsmith.ts'
import { runGraph } from '../agents/graph.ts'
import { readServerConfig } from '../config.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { webhookEvidence } from './evidence.ts'

/**
 * A process of its own, because LangChain looks into the environment wherever it likes: answers one question of each of two
 * tenants and prints the answers. Argument `bare`: runs a graph as LangGraph's documentation does, without any of our code.
 */
const question = 'Where do we verify canary-question signatures?'
const never = new AbortController().signal

if (process.argv[2] === 'bare') {
  const State = Annotation.Root({ question: Annotation<string>, answer: Annotation<string> })
  const graph = new StateGraph(State).addNode('write', () => ({ answer: 'canary-answer' })).addEdge(START, 'write').addEdge('write', END).compile()
  await graph.invoke({ question })
  // Its tracer hands over in the background, after a quarter of a second.
  await new Promise((resolve) => setTimeout(resolve, 1_000))
} else {
  const config = readServerConfig()
  const langsmith = config.langsmith && openLangsmith(config.langsmith, { log: { warn: (_: object, line?: string) => void process.stderr.write(`${line}\n`), debug: () => undefined } as never })
  for (const slug of ['acme', 'globex']) process.stdout.write(`${await answer(slug, speaking(`It is \`canary-answer\` of ${slug} [1].\n`))}\n`)
  await answer('acme', failing()).catch(() => undefined)
  await langsmith?.close()
  // As our own processes end: a request that hangs does not keep them.
  process.exit()

  async function answer(slug: string, model: ChatModel): Promise<string> {
    const evidence = webhookEvidence(question)
    const passages = evidence.passages.map((passage) => ({ ...passage, content: `${passage.content}\n// canary-passage`, path: `src/canary-path-${passage.n}.ts` }))
    const parts = {
      models: { dev: [model], pm: [model], architect: [model] },
      repositories: async () => [{ id: 'repository-1', name: 'canary/repository', indexedAt: new Date() }],
      retrieve: async () => ({ evidence: { ...evidence, passages }, strength: 1, trace: null, timings: {} }),
      leastStrength: 0.5,
      now: () => new Date(),
      ...(langsmith ? { tracer: langsmith.tracerOf({ id: `id-of-${slug}`, slug }) } : {}),
    }
    let text = ''
    const input = { question, turns: [], context: [{ author: 'canary-author', text: 'canary-context', trusted: true }] }
    for await (const event of runGraph(parts, input, never)) if (event.kind === 'text') text += event.markdown
    return text.trim()
  }
}

function speaking(text: string): ChatModel {
  return toModel(async function* () {
    yield { kind: 'text', text }
    yield { kind: 'usage', inputTokens: 321, outputTokens: 12 }
  })
}

function toModel(stream: ChatModel['stream']): ChatModel {
  return { id: 'scripted:one', limits: { inputTokens: 100_000, outputTokens: 1_000 }, price: { input: 0, output: 0 }, stream }
}

function failing(): ChatModel {
  const next = () => Promise.reject(new Error('canary-error: the prompt was too long: canary-question'))
  return toModel(() => ({ [Symbol.asyncIterator]: () => ({ next }) }))
}
