import { describe, expect, it } from 'vitest'
import type { AnswerPart } from '#server/answer-part.ts'
import { sampleCitation, sampleDone, shortAnswer } from '../testing/fake-ask-server.ts'
import { listCitation, sampleReport } from '../testing/sample-report.ts'
import { platformContract } from '../testing/platform-contract.ts'
import { renderTerminal } from './render.ts'

async function* from(parts: AnswerPart[]): AsyncIterable<AnswerPart> {
  yield* parts
}

function open(isTTY = false) {
  const written: string[] = []
  return { written, isTTY, write: (text: string) => written.push(text) }
}

describe('renderTerminal', () => {
  it('writes the text, where it comes from, and how fresh that is', async () => {
    const out = open()
    expect(await renderTerminal(from(shortAnswer('It is in `verify` [1].')), out)).toBe(0)
    expect(out.written.join('')).toBe('It is in `verify` [1].\n\n[1] src/verify.ts:L10-L42 @a1b2c3d\n\nacme/api@a1b2c3d (main) · indexed 4 min ago\n')
  })

  it('shows a notice once, last', async () => {
    const out = open()
    const done = { ...sampleDone(), notice: 'The budget is used up.' }
    await renderTerminal(from([{ kind: 'text', markdown: 'So it is.' }, done]), out)
    expect(out.written.join('')).toMatch(/ago\nThe budget is used up\.\n$/)
  })

  it('lists only what the text cites', async () => {
    const out = open()
    await renderTerminal(from([{ kind: 'citation', citation: { ...sampleCitation, n: 2, path: 'other.ts' } }, ...shortAnswer()]), out)
    expect(out.written.join('')).not.toContain('other.ts')
  })

  it('has colours and phases on a terminal only', async () => {
    const tty = open(true)
    await renderTerminal(from(shortAnswer()), tty)
    expect(tty.written.join('')).toContain('\u001b[2mSearching acme/api…\u001b[0m')
    const pipe = open()
    await renderTerminal(from(shortAnswer()), pipe)
    expect(pipe.written.join('')).not.toContain('\u001b')
    expect(pipe.written.join('')).not.toContain('Searching')
  })

  it('obeys no escape sequence of a source', async () => {
    const out = open(true)
    await renderTerminal(from([{ kind: 'text', markdown: 'a\u001b]0;owned\u0007b\u009b31m' }, sampleDone()]), out)
    expect(out.written.join('')).not.toMatch(/\u001b\]|\u0007|\u009b/)
  })

  it('says with its exit code whether there was an answer', async () => {
    expect(await renderTerminal(from([{ kind: 'text', markdown: 'I could not find this.' }, { ...sampleDone(), abstained: true }]), open())).toBe(3)
    expect(await renderTerminal(from([{ kind: 'error', code: 'x', message: 'Away.', retryable: true, ref: 'ABC123' }]), open())).toBe(1)
    expect(await renderTerminal(from([]), open())).toBe(1)
  })

  it('writes a report below the text, its sources by their titles', async () => {
    const out = open()
    const now = Date.parse('2026-11-22T14:00:00Z')
    const parts: AnswerPart[] = [{ kind: 'citation', citation: { ...listCitation, changedAt: '2026-11-19T10:00:00.000Z' } }, { kind: 'text', markdown: 'Twelve.' }, { kind: 'report', report: sampleReport }, { ...sampleDone(), freshness: [{ repository: 'Handbook', sha: 'f'.repeat(40), branch: null, indexedAt: '2026-11-22T13:56:00.000Z' }] }]
    await renderTerminal(from(parts), out, { now, width: 80 })
    await expect(out.written.join('')).toMatchFileSnapshot('./golden/report.txt')
  })

  it('tells steps as phases and as lines once they have ended, on a terminal only', async () => {
    const steps: AnswerPart[] = [{ kind: 'step', step: { id: 'a', title: 'Counting', agent: 'pm', state: 'running' } }, { kind: 'step', step: { id: 'a', title: 'Counting', agent: 'pm', state: 'done' } }, { kind: 'step', step: { id: 'b', title: 'Reading\u001b]0;x\u0007', agent: 'dev', state: 'failed' } }]
    const tty = open(true)
    await renderTerminal(from([...steps, ...shortAnswer()]), tty)
    expect(tty.written.join('')).toMatch(/Counting…[^]*✓ Counting[^]*✗ Reading\]0;x\u001b\[0m\n/)
    const pipe = open()
    await renderTerminal(from([...steps, ...shortAnswer()]), pipe)
    expect(pipe.written.join('')).not.toContain('Counting')
  })

  it('writes one JSON object on request', async () => {
    const out = open()
    await renderTerminal(from([{ kind: 'report', report: sampleReport }, ...shortAnswer('Yes [1].')]), out, { json: true })
    expect(JSON.parse(out.written.join(''))).toMatchObject({ answer: 'Yes [1].', agent: 'dev', abstained: false, citations: [sampleCitation], reports: [sampleReport], trace: 'trace-1' })
  })
})

platformContract('terminal', async () => ({
  async render(parts) {
    const out = open()
    await renderTerminal(parts, out)
    return { visible: [out.written.join('')], steps: out.written.length }
  },
}))
