import type { ChangedSymbol } from './changed-symbols.ts'
import { firstPlace } from './facts.ts'
import type { FileFacts, Side } from './facts.ts'
import { code, count, list } from './markdown.ts'
import { lineRules, pathRules } from './risk-rules.ts'

/** A place that deserves a look, and why; told by rules from what changed, whoever says what about it. */
export type Risk = { rule: string; weight: number; file: FileFacts; side: Side; line: number; why: string }

const mostOfOneRule = 2
/** A line longer than this is data. */
const longestLine = 1_000
/** Lines of source without a test beside them that are worth a word. */
const muchSource = 30

/** The places to look at, the heaviest first: one of each file with its two weightiest reasons, of one rule a few. */
export function findRisks(files: FileFacts[]): Risk[] {
  const found = [...files.flatMap((file) => [...bySecrets(file), ...byPath(file), ...byLine(file), ...byContract(file)]), ...byWhole(files)]
  const byFile = Map.groupBy(found, ({ file }) => file.path)
  const places = [...byFile.values()].map((risks) => {
    const [first, second] = risks.toSorted((a, b) => b.weight - a.weight)
    return second ? { ...first!, why: `${first!.why}; ${second.why}` } : first!
  })
  const ofRule = new Map<string, number>()
  return places
    .toSorted((a, b) => b.weight - a.weight)
    .filter(({ rule }) => {
      ofRule.set(rule, (ofRule.get(rule) ?? 0) + 1)
      return ofRule.get(rule)! <= mostOfOneRule
    })
}

function bySecrets(file: FileFacts): Risk[] {
  const [first] = file.secrets
  if (!first) return []
  return [{ rule: 'secret', weight: 110, file, side: 'head', line: first.line, why: `looks like a secret (${code(first.kind, 30)}); if it is real, replace it: it is in the history now` }]
}

function byPath(file: FileFacts): Risk[] {
  return pathRules.flatMap(({ id, weight, path, roles, why }) => {
    if ((roles && !roles.includes(file.role)) || !path.test(file.path)) return []
    const told = why(file)
    return told === null ? [] : [{ rule: id, weight, file, ...firstPlace(file), why: told }]
  })
}

function byLine(file: FileFacts): Risk[] {
  const rules = lineRules.filter(({ roles, path }) => (!roles || roles.includes(file.role)) && (!path || path.test(file.path)))
  const lines = file.hunks.flatMap((hunk) => hunk.lines).filter(({ kind, text }) => kind !== ' ' && text.length <= longestLine)
  return rules.flatMap(({ id, weight, kind, line, why }) => {
    const hit = lines.find((each) => each.kind === kind && line.test(each.text))
    if (!hit) return []
    // A line that was only moved or reworded is still there.
    if (kind === '-' && lines.some((each) => each.kind === '+' && line.test(each.text))) return []
    return [{ rule: id, weight, file, side: kind === '+' ? ('head' as const) : ('base' as const), line: (kind === '+' ? hit.newLine : hit.oldLine) ?? 1, why }]
  })
}

/** What others may call: gone, or called otherwise now. */
function byContract(file: FileFacts): Risk[] {
  if (file.role !== 'source') return []
  const removed = file.symbols.filter(({ change, exported }) => change === 'removed' && exported)
  const changed = file.symbols.filter(({ change, exported, oldSignature, kind }) => change === 'changed' && exported && oldSignature !== null && kind !== 'constant')
  const risks: Risk[] = []
  if (removed.length > 0) {
    const why = `no longer offers ${namesOf(removed)}: whoever uses it must change`
    risks.push({ rule: 'contract-gone', weight: 66, file, side: 'base', line: removed[0]!.startLine, why })
  }
  if (changed.length > 0) {
    const why = `${namesOf(changed)} ${changed.length === 1 ? 'is' : 'are'} called differently now`
    risks.push({ rule: 'contract', weight: 52, file, side: 'head', line: changed[0]!.startLine, why })
  }
  return risks
}

function namesOf(symbols: ChangedSymbol[]): string {
  const names = symbols.slice(0, 3).map(({ name }) => code(name, 60))
  return list(symbols.length > 3 ? [...names, `${symbols.length - 3} more`] : names)
}

/** What no file tells by itself. */
function byWhole(files: FileFacts[]): Risk[] {
  const source = files.filter(({ role, status }) => role === 'source' && status !== 'removed' && status !== 'renamed')
  const lines = source.reduce((sum, { additions, deletions }) => sum + (additions ?? 0) + (deletions ?? 0), 0)
  const tested = files.some(({ role, status }) => role === 'test' && status !== 'removed')
  const largest = source.toSorted((a, b) => (b.additions ?? 0) - (a.additions ?? 0))[0]
  const risks: Risk[] = []
  if (largest && !tested && lines >= muchSource) {
    risks.push({ rule: 'untested', weight: 40, file: largest, ...firstPlace(largest), why: `${count(lines, 'line')} of source change and no test does` })
  }
  const lock = files.find(({ left, status }) => left === 'lock-file' && status === 'modified')
  const manifest = files.some(({ path }) => pathRules.find(({ id }) => id === 'dependencies')!.path.test(path))
  if (lock && !manifest) risks.push({ rule: 'lock-alone', weight: 48, file: lock, side: 'head', line: 1, why: 'the lock file changes and no manifest does' })
  return risks
}
