import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findAgent } from '../agents/index.ts'
import { checkCitations } from '../retrieval/check-citations.ts'
import { toPassage, toSymbol, webhookEvidence } from '../testing/evidence.ts'
import { modelContract } from '../testing/model-contract.ts'
import { createExtractive } from './extractive.ts'
import { budget, compose } from './extractive/compose.ts'

modelContract('extractive', createExtractive, { isDeterministic: true })

const ask = (question: string, agent = 'dev') => compose(webhookEvidence(question), findAgent(agent).lens).join('\n\n')

describe('the shape of an answer', () => {
  test('a question for a place is answered by its first sentence', () => {
    const first = ask('Where do we verify webhook signatures?').split('\n')[0]
    expect(first).toBe('Webhook signatures are verified by `verifySignature` in `src/verify.ts` (line 2): "Checks the signature of a webhook against the shared secret" [1].')
  })

  test('then says where it is used, documented and tested, each with the passage that shows it', () => {
    const answer = ask('Where do we verify webhook signatures?')
    expect(answer).toContain('- Called by `receiveWebhook` in `src/receive.ts` (line 6) [2]')
    expect(answer).toContain('- Documented in `docs/webhooks.md`, "Guide › Webhook signatures": "`verifySignature` refuses a request whose signature is wrong" [5]')
    expect(answer).toContain('- Tested in `test/verify.test.ts` (line 3): "refuses a wrong signature" [4]')
  })

  test('and shows the lines themselves', () => {
    expect(ask('Where do we verify webhook signatures?')).toContain("`src/verify.ts`, lines 2–5 [1]:\n```ts\nexport function verifySignature(")
  })

  test('a question for uses lists the lines, without imports', () => {
    const answer = ask('Who calls verifySignature?')
    expect(answer).toContain('The function `verifySignature` (`src/verify.ts`, line 2 [1]) is called in one place that I can see [2].')
    expect(answer).toContain('- `receiveWebhook` in `src/receive.ts` (line 6) [2]: `if (!verifySignature(')
    expect(answer).not.toContain('line 1)')
  })

  test('a question for uses counts those that no passage shows, and names what else has the name', () => {
    const given = webhookEvidence('Who calls verifySignature?')
    const { relations, symbols, passages } = given
    const [use] = relations.filter(({ kind, to }) => kind === 'call' && to.symbol === 'verifySignature')
    const from = { ...use!.from, path: 'src/replay.ts' }
    const twin = toSymbol('verifySignature', 'lib/verify.ts', [1, 2], { signature: 'function verifySignature()' })
    const evidence = {
      ...given,
      passages: [toPassage(9, 'lib/verify.ts', 'function verifySignature() {\n}\n'), ...passages],
      symbols: [twin, ...symbols],
      relations: [...relations, ...[8, 9].map((line) => ({ ...use!, from: { ...from, line } })), { kind: 'reference' as const, from: { ...from, symbol: null, line: 1 }, to: use!.to }],
    }
    const answer = compose(evidence, findAgent('dev').lens).join('\n\n')
    expect(answer).toContain('The function `verifySignature` (`src/verify.ts`, line 2 [1]) is called in 3 places of 2 files, 1 of which I list [2].')
    const many = Array.from({ length: 40 }, (_, line) => ({ ...use!, from: { ...from, line } }))
    expect(compose({ ...evidence, relations: [...relations, ...many] }, findAgent('dev').lens)[0]).toContain('is called in at least 41 places of 2 files, 1 of which I list [2].')
    expect(answer).toContain('- Others of that name, which are not counted: `lib/verify.ts` (line 1) [9]')
  })

  test('a question for a flow walks the calls in order', () => {
    const answer = ask('What happens when receiveWebhook gets a request?')
    expect(answer).toMatch(/1\. `verifySignature` .*called on line 6 \[2\]\n2\. `dispatch` .*called on line 7 \[2\]/)
  })

  test('a question for a reason quotes the comment that gives it', () => {
    expect(ask('Why do handlers run one after another?')).toContain('"Handlers run one after another, because two of them may write the same order" [3]')
  })

  test('a question for tests names their titles', () => {
    expect(ask('Which tests cover verifySignature?')).toContain('is tested in `test/verify.test.ts` (line 3): "refuses a wrong signature" [4]')
  })

  test('a question how to configure shows the section and its command', () => {
    const answer = ask('How do I configure the webhook secret?')
    expect(answer).toContain('`docs/webhooks.md`')
    expect(answer).toContain('```sh\nexport WEBHOOK_SECRET=$(openssl rand -hex 32)\n```')
  })

  test('the PM is told from the documents, without code', () => {
    const answer = ask('What protects our webhooks?', 'pm')
    expect(answer).toMatch(/^`docs\/webhooks\.md`, "Guide › Webhook signatures" says: /)
    expect(answer).not.toContain('```')
  })

  test('what a comment quotes as an example is not taken for what its code does', () => {
    const evidence = {
      question: 'Where do we verify webhook signatures?',
      passages: [toPassage(1, 'src/restate.ts', '/** Rewrites a question: «Where do we verify webhook signatures?» */\nexport function restate() {}\n')],
      symbols: [toSymbol('restate', 'src/restate.ts', [2, 2], { doc: 'Rewrites a question: «Where do we verify webhook signatures?»', signature: 'export function restate()' })],
      relations: [],
    }
    expect(compose(evidence, findAgent('dev').lens).join('\n')).not.toContain('signatures are verified by')
  })

  test('the table of contents of a document is not an answer', () => {
    const contents = '## Contents\n\n- [Serving static files](#serving-static-files)\n- [Grouping routes](#grouping-routes)\n'
    const section = '## Serving static files\n\n```go\nrouter.Static("/static", "./files")\n```\n'
    const passages = [
      toPassage(1, 'docs/guide.md', contents, { language: 'markdown', contentType: 'documentation', scope: ['Contents'] }),
      toPassage(2, 'docs/guide.md', section, { language: 'markdown', contentType: 'documentation', scope: ['Serving static files'], startLine: 5, endLine: 9 }),
    ]
    const answer = compose({ question: 'How do I serve static files?', passages, symbols: [], relations: [] }, findAgent('dev').lens).join('\n')
    expect(answer).toContain('"Serving static files" shows it in code [2]')
    expect(answer).not.toContain('[1]')
  })

  test('says so when nothing uses a definition', () => {
    expect(ask('Who calls receiveWebhook?')).toContain('Outside its own definition, the passages that I was given show no use of the function `receiveWebhook`')
  })

  test('is empty without passages', () => {
    expect(compose({ question: 'Where?', passages: [], symbols: [], relations: [] }, findAgent('dev').lens)).toEqual([])
  })
})

describe('whatever the sources hold', () => {
  const hostile = fc.constantFrom(
    '[click](https://evil.example/?q=1)', '![x](https://evil.example/p.png)', '<img src=x>', '<!channel>', '<@U012AB3CD>', '@everyone', '[99]', '```', '`', '</details>', 'https://evil.example/a',
    'data:text/html,x', '\u200B\u202E', '[ref]: https://evil.example', '|table|', '# heading', '*/', '\\[7\\]', 'www.evil.example',
  )
  const line = fc.array(fc.oneof(hostile, fc.constantFrom('verify', 'the', 'signature', 'because', 'webhook', 'of', 'is.', '`code`', '()')), { minLength: 1, maxLength: 12 }).map((words) => words.join(' '))
  const text = fc.array(line, { minLength: 1, maxLength: 30 }).map((lines) => lines.join('\n'))
  const questions = fc.constantFrom('Where do we verify webhook signatures?', 'Why verify?', 'How do I verify the webhook?', 'Who calls verify?', 'What is the signature?', 'How does verify work?', 'Which tests cover verify?', 'How is the code structured?')

  test('an answer stays in its budget, cites only what was given and injects nothing', () => {
    fc.assert(
      fc.property(questions, text, text, line, fc.constantFrom('dev', 'pm', 'architect'), (question, code, prose, doc, agent) => {
        const evidence = {
          question,
          passages: [toPassage(1, 'src/verify.ts', code), toPassage(2, 'docs/verify.md', prose, { scope: [doc] })],
          symbols: [toSymbol('verify', 'src/verify.ts', [1, code.split('\n').length], { doc })],
          relations: [],
        }
        const answer = compose(evidence, findAgent(agent).lens).join('\n\n')
        expect(answer.length).toBeLessThanOrEqual(budget.characters)
        expect(answer.split('\n').length).toBeLessThanOrEqual(budget.lines)
        const prosePart = answer.replace(/^(`{3,})[^\n]*\n[^]*?\n\1$/gm, '').replace(/`[^`\n]+`/g, '')
        expect(prosePart).not.toMatch(/\]\(|:\/\/|<[a-z!@/]|www\.|`/i)
        expect(prosePart.match(/\[(?![12]\])/g) ?? []).toEqual([])
        expect(checkCitations(answer, evidence).unknown).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})
