import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AnswerPart } from '#server/answer-part.ts'
import { sampleCitation, sampleDone, shortAnswer } from './fake-ask-server.ts'
import { listCitation, sampleReport } from './sample-report.ts'

/** What the suite needs of a platform. */
export type PlatformUnderTest = {
  /** Lets somebody ask, the parts be the answer, and returns the messages that they then see and in how many steps they came. */
  render(parts: AsyncIterable<AnswerPart>): Promise<{ visible: string[]; steps: number }>
  /** Where people write to it; absent where Nura only answers. */
  inbox?: {
    /** Tells the platform `times` times, at once, of one message of a person; returns the replies they see. */
    tell(times: number): Promise<string[]>
    /** Lets Nura's own account write; returns the replies. */
    tellAsSelf(): Promise<string[]>
    /** Lets somebody ask and be answered, then a source of the answer change; returns the replies before and after. */
    outdate(): Promise<{ before: string[]; after: string[] }>
    /** Outcomes of everything told so far; null for what has none. */
    outcomes(): Promise<(string | null)[]>
  }
  close?(): Promise<void>
}

/** The whole test of a new platform. */
export function platformContract(name: string, open: () => Promise<PlatformUnderTest>): void {
  describe(`the platform ${name}`, () => {
    let platform: PlatformUnderTest
    beforeAll(async () => {
      platform = await open()
    })
    afterAll(() => platform?.close?.())

    async function* slowly(parts: AnswerPart[], ms = 20): AsyncIterable<AnswerPart> {
      for (const part of parts) {
        yield part
        await new Promise((resolve) => setTimeout(resolve, ms))
      }
    }

    it('shows an answer with its citation and how fresh it is', async () => {
      const { visible } = await platform.render(slowly(shortAnswer('It is in `verify` [1].')))
      expect(visible.join('\n')).toMatch(/It is in `verify` [^]*\[1\][^]*src\/verify\.ts[^]*L10[^]*L?42[^]*a1b2c3d[^]*indexed/)
    })

    it('shows a long answer while it arrives, whole and once', async () => {
      const sentences = Array.from({ length: 60 }, (_, index) => `Sentence ${index} tells a little more of it. `)
      const { visible, steps } = await platform.render(slowly([{ kind: 'citation', citation: sampleCitation }, ...sentences.map((markdown): AnswerPart => ({ kind: 'text', markdown })), sampleDone()], 50))
      const all = visible.join('\n')
      for (let index = 0; index < 60; index++) expect(all.split(`Sentence ${index} tells`)).toHaveLength(2)
      expect(steps).toBeGreaterThan(2)
    })

    it('shows an error as one line with its reference and without a stack', async () => {
      const { visible } = await platform.render(slowly([{ kind: 'error', code: 'model-timeout', message: 'I hit a model timeout.', retryable: true, ref: '7F3A91' }]))
      expect(visible).toHaveLength(1)
      expect(visible[0]).toMatch(/I hit a model timeout\..*7F3A91/)
      expect(visible[0]).not.toMatch(/\n\s+at |Error:/)
    })

    it('marks an answer that broke off', async () => {
      const { visible } = await platform.render(slowly([{ kind: 'text', markdown: `${'Half of it is here. '.repeat(30)}\n` }, { kind: 'error', code: 'internal', message: 'The rest is missing.', retryable: true, ref: '7F3A91' }], 2500))
      expect(visible.join('\n')).toContain('[Interrupted before completion]')
    })

    it('obeys no mention in an answer', async () => {
      const { visible } = await platform.render(slowly([{ kind: 'text', markdown: 'Ask <!channel> or <@U0BOB>.\n' }, sampleDone()]))
      if (platform.inbox) expect(visible.join('\n')).not.toMatch(/<!channel>|<@U0BOB>/)
    })

    it('answers a message once, however often it is told', async () => {
      if (platform.inbox) expect(await platform.inbox.tell(5)).toHaveLength(1)
    })

    it('does not answer itself', async () => {
      if (platform.inbox) expect(await platform.inbox.tellAsSelf()).toEqual([])
    })

    it('says below an answer that a source of it has changed, in the same messages', async () => {
      if (!platform.inbox) return
      const { before, after } = await platform.inbox.outdate()
      expect(before.join('\n')).not.toContain('Source changed')
      expect(after).toHaveLength(before.length)
      expect(after.at(-1)).toMatch(/Source changed in 9f8e7d6\b/)
    })

    it('ends everything it took with an outcome', async () => {
      if (platform.inbox) expect(await platform.inbox.outcomes()).not.toContain(null)
    })

    const reported: AnswerPart[] = [{ kind: 'citation', citation: listCitation }, { kind: 'text', markdown: 'Twelve were merged [2].' }, { kind: 'report', report: sampleReport }, sampleDone('reported')]
    const readReport = async () => (await platform.render(slowly(reported, 0))).visible.join('\n')

    it('shows each figure with its unit and where its list is', async () => {
      const visible = await readReport()
      expect(visible).toContain('Shipped, 16–22 Nov 2026')
      expect(visible).toMatch(/(?:Merged\b[^]{0,200}?\b12\b|\b12\b[^]{0,200}?Merged\b)[^]{0,300}?\[2\]/)
      expect(visible).toMatch(/(?:Median time to merge\b[^]{0,200}?\b26\.5 h|\b26\.5 h[^]{0,200}?Median time to merge\b)[^]{0,300}?\[2\]/)
      expect(visible).toMatch(/\[2\][^]{0,100}?Pull requests merged 16–22 Nov 2026 in acme\/api/)
      expect(visible).toContain('https://git.example/acme/api/pulls?q=merged')
    })

    it('shows the table and how many rows are left out', async () => {
      const visible = await readReport()
      for (const text of ['Merged pull requests', 'Pull request', 'Author', '#12 Cache the plan', 'ada', '18 Nov', 'grace']) expect(visible).toContain(text)
      expect(visible).toContain('and 10 more')
    })

    it('says up to when a report counts and what is missing', async () => {
      const visible = await readReport()
      expect(visible).toMatch(/as of [^]{0,100}?(22 Nov 2026|Nov 22, 2026|2026-11-22)/i)
      expect(visible).toContain('The history of acme/web is not read yet.')
    })

    it('answers in steps as it answers otherwise', async () => {
      const steps = (['running', 'done'] as const).flatMap((state) => ['a', 'b', 'c'].map((id): AnswerPart => ({ kind: 'step', step: { id, title: `Step ${id}`, agent: 'dev', state } })))
      const { visible } = await platform.render(slowly([...steps, ...shortAnswer('After three steps [1].')], 5))
      expect(visible).toHaveLength(1)
      expect(visible[0]).toMatch(/After three steps[^]*src\/verify\.ts/)
    })
  })
}
