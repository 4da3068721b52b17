import { tokens } from '../tokens.ts'

/** What a question asks for; it chooses how much each way of finding counts (`weights.ts`). */
export type QuestionKind = 'where' | 'what' | 'how' | 'flow' | 'why' | 'usage' | 'config' | 'test' | 'change' | 'other'

/** A question as retrieval sees it. Pure: the same text gives the same query. */
export type Query = {
  text: string
  kind: QuestionKind
  /** Terms for lexical search, framing such as «where is … defined» left out. */
  tokens: string[]
  /** Names that are written as names, lower-cased, the container dropped: `getToken`, `snake_case`, `Class.method`, `` `name` ``. */
  names: string[]
  /** Plain words of the question joined one and two at a time: how a name would be spelled (`private key` → `privatekey`). */
  likelyNames: string[]
  /** The container of a dotted name, lower-cased: `Context.config` → `context`. */
  containers: string[]
  /** Path-like pieces, as written: `src/app.ts`, `docs/`, `app.py`. */
  paths: string[]
  /** Kinds of file that the question asks for by name; their prior is lifted, or for code that of documents is lowered. */
  asksFor: { code: boolean; tests: boolean; docs: boolean; examples: boolean; history: boolean }
}

/** What asks something, rather than saying what was done or naming a topic. */
const asking =
  /\?\s*$|^(?:\W*(?:hi|hey|hello|please|so|and|ok|okay|also|but)\b)*\W*(?:where|what|which|who|whose|why|when|how|is|are|does|do|did|can|could|should|would|will|show|tell|find|explain|describe|list|give|point|locate)\b|\b(?:where|how|what|which|why)\b.*\b(?:is|are|do|does|did|can|should|we|i)\b/i

/** First match wins; later lines are more general. A text that asks nothing is a `change` or `other`. */
const kinds: [QuestionKind, RegExp][] = [
  [
    'test',
    /\b(?:tests?|specs?|fixtures?|coverage)\b.*\b(?:cover|test|check|for|of|exist)|\b(?:tested|unit tests?|test suite)\b/i,
  ],
  ['config', /\b(?:config(?:ure|ured|uration|s)?|settings?|environment variables?|env vars?|options?|flags?|defaults?)\b/i],
  [
    'flow',
    /\b(?:flows?|lifecycle|life cycle|pipeline|end to end|step by step|sequence)\b|\bwhat happens (?:when|if|after|before)\b|\bhow (?:does|do|is|are)\b.*\b(?:travel|reach|end up|get from|become|turn into|processed|propagate)/i,
  ],
  [
    'where',
    /\bwhere\b|\b(?:which|what) (?:file|files|module|class|function|method|package|part|place|component)\b|\b(?:find|locate|show me|point me)\b/i,
  ],
  ['why', /\bwhy\b|\bwhat (?:is|are|was) the (?:reason|rationale|motivation)/i],
  ['usage', /\bhow (?:do|can|should|would|to)\b(?: (?:i|we|you|one|someone))?|\bwho (?:calls|uses)\b|\bexample of\b|\bused\b/i],
  ['how', /\bhow\b/i],
  ['what', /\b(?:what|which|who|describe|explain|define|does|is|are)\b/i],
]

/** Words that the subject of a change begins with: what it does, or did. */
const doing = [
  'accept add address adjust allow apply attempt avoid bump change clarify clean cleanup consolidate convert',
  'correct decouple dedupe default deprecate detect disable drop enable enhance ensure exclude expand expose extend',
  'extract factor fix guard handle harden hoist honor ignore implement imply improve include infer inherit inline',
  'introduce loosen make mention merge modify move normalize omit optimise optimize override parse pass prefer',
  'preserve prettify prevent propagate provide raise rearrange reduce refactor reject relax relocate remove rename',
  'reorder replace require resolve respect restore restructure return reuse revert reword rework rewrite separate',
  'set shorten silence simplify skip specify split streamline strip support suppress swap switch tidy tighten tweak',
  'undo unify untangle update upgrade use validate warn wrap',
].join(' ')
const did = 'adding changing correcting deleted documented exported fixing made making recorded removing rewrote started updating'
const change = new RegExp(`^(?:\\w+(?:\\([^)]*\\))?!?:\\s+\\S|(?:(?:greatly|further) )?(?:${[doing, did].flatMap((words) => words.split(' ')).flatMap(formsOf).join('|')}|do not|don't|let's|get rid of|fall back|be (?:less|more)|(?:always|better|bugfix|consistent|correctly|explicitly|extra|minor|proper|properly|small))\\b)`, 'i')
const changed = /\bis now\b|\bnow (?:when|in|by|also|\w+s)\b/i

/** As in `change`, `changes`, `changed`, or `skip`, `skips`, `skipped`. */
function formsOf(word: string): string[] {
  const stem = word.replace(/e$/, '').replace(/y$/, 'i')
  return [word, `${stem}${/(?:s|x|ch|e|y)$/.test(word) ? 'es' : 's'}`, `${stem}ed`, `${word}${word.at(-1)}ed`]
}

/** What asks rather than names: left out of the terms of a question, never out of those of a change. */
const framing =
  /\b(?:(?:is|are|was|were|do|does|did|can|could|should|would)\s+(?:we|you|i|it|they)\b|(?:defined|declared|implemented|located|found|live|lives|happen|happens|happening|work|works|working)\b|(?:show|tell|point|give) me\b|\bplease\b|\bfind\b|\bexplain\b|\bdescribe\b|(?:which|what) (?:file|files|part|place|code)\b|\b(?:in|of) (?:this|the|our|your) (?:code ?base|code|repo|repository|project)\b|\bused for\b|\bresponsible for\b|\bkind of\b)/giu

/** How something gets from one place to another: what a question of a flow asks, and no name of what it asks about. */
const going = /\b(?:reach(?:es)?|travels?|ends? up|gets? from|becomes?|turns? into)\b/giu

/** What asks for the users of what the rest of the question is about: none of its words is looked for. */
const whoUses = /(?:,?\s*\band\s+)?\bwho\s+(?:calls|imports|needs|uses)\s+(?:it|that|them|these|this|those)\b/giu

const backticked = /`([^`\n]{1,200})`/g
const dotted =
  /(?<![\p{L}\p{N}_$./-])[\p{L}_$][\p{L}\p{N}_$]*(?:(?:\.|::|#|->)[\p{L}_$][\p{L}\p{N}_$]*)+(?:\(\))?(?![\p{L}\p{N}_$/])/gu
const mixed =
  /(?<![\p{L}\p{N}_$])(?:[\p{L}$]*\p{Ll}\p{Lu}[\p{L}\p{N}$]*|\p{Lu}{2,}\p{Ll}[\p{L}\p{N}$]*|[\p{L}_$][\p{L}\p{N}$]*_[\p{L}\p{N}_$]+|[\p{L}_$][\p{L}\p{N}_$]*(?=\(\)))/gu
const pathLike =
  /(?<![\p{L}\p{N}_.:/-])(?:[\p{L}\p{N}_.@-]+\/)+[\p{L}\p{N}_.@-]*|(?<![\p{L}\p{N}_.:/-])[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)*\.(?:[cm]?[jt]sx?|py|pyi|go|rs|rb|java|kts?|cs|php|swift|scala|c|cc|cpp|h|hpp|md|mdx|rst|txt|ya?ml|json|toml|ini|sql|sh|css|scss|html|vue|svelte|tf|proto|gradle|xml)(?![\p{L}\p{N}_])/giu
const extension =
  /\.(?:[cm]?[jt]sx?|py|pyi|go|rs|rb|java|kts?|cs|php|swift|scala|c|cc|cpp|h|hpp|md|mdx|rst|txt|ya?ml|json|toml|ini|sql|sh|css|scss|html|vue|svelte|tf|proto|gradle|xml)$/i
const url = /\bhttps?:\/\/\S+/gi

/** Longer questions are cut for analysis: a pasted log holds no more meaning in its tail. */
const longest = 4_000
const most = { tokens: 120, names: 24, paths: 12 }

/**
 * @param repositories names of what is searched: in a question about `acme/shop` the word «shop» tells nothing apart, and
 *   is left out where other words remain.
 */
export function toQuery(question: string, repositories: string[] = []): Query {
  const text = question.slice(0, longest).replace(url, ' ').trim()
  // A name is no word of the question: `Context.config` does not ask about configuration.
  const kind = kindOf(text, text.replace(backticked, 'it').replace(dotted, 'it'))
  const paths = unique([...text.matchAll(pathLike)].map(([path]) => path.replace(/^\.?\//, '').replace(/[.]+$/, ''))).slice(
    0,
    most.paths,
  )
  const { names, containers } = namesOf(text)
  const looked = text.replace(whoUses, ' ')
  const said = kind === 'flow' ? looked.replace(going, ' ') : looked
  const asked = kind === 'change' ? [] : tokens(said.replace(framing, ' '))
  const known = new Set(repositories.flatMap((name) => tokens(name.slice(name.lastIndexOf('/') + 1))))
  const telling = asked.filter((token) => !known.has(token))
  const terms = [telling, asked, tokens(text)].find(({ length }) => length > 0) ?? []
  return {
    text,
    kind,
    tokens: terms.slice(0, most.tokens),
    names: names.slice(0, most.names),
    likelyNames: likelyNames(said, telling.length > 0 ? known : new Set()).slice(0, most.names * 2),
    containers: containers.slice(0, most.names),
    paths,
    asksFor: {
      code: /\b(?:defined|declared|implemented|implementation|source code)\b|\b(?:which|what) (?:file|function|class|method|module)s?\b/i.test(text),
      tests: kind === 'test' || /\b(?:tests?|specs?|tested|testing|fixtures?)\b/i.test(text),
      docs: /\b(?:docs?|documentation|documented|readme|guide|tutorial|manual)\b/i.test(text),
      examples: /\b(?:examples?|samples?|demo)\b/i.test(text),
      history: /\b(?:changelog|change log|release notes?|history)\b/i.test(text),
    },
  }
}

function kindOf(text: string, said: string): QuestionKind {
  if (change.test(text)) return 'change'
  if (asking.test(said)) return kinds.find(([, pattern]) => pattern.test(said))?.[0] ?? 'other'
  return changed.test(said) ? 'change' : 'other'
}

function namesOf(text: string): { names: string[]; containers: string[] } {
  const names: string[] = []
  const containers: string[] = []
  const add = (written: string) => {
    if (extension.test(written) && !written.endsWith('()')) return
    const parts = written
      .replace(/\(\)$/, '')
      .split(/\.|::|#|->/)
      .filter(Boolean)
    const name = parts.at(-1)
    if (!name) return
    names.push(name.toLowerCase())
    for (const container of parts.slice(0, -1)) containers.push(container.toLowerCase())
  }
  for (const [, inside] of text.matchAll(backticked)) if (/^[\p{L}\p{N}_$.:#>()-]+$/u.test(inside!)) add(inside!)
  for (const [name] of text.matchAll(dotted)) add(name)
  for (const [name] of text.matchAll(mixed)) add(name)
  return { names: unique(names), containers: unique(containers) }
}

const word = /[\p{L}\p{N}]+/gu
const filler = new Set(
  'a an and any are as at be by can did do does for from get gets has have how i if in into is it its me my no not of on or our should that the their them then there they this to up use used uses using was we what when where which who why will with work works would you your'.split(
    ' ',
  ),
)

function likelyNames(text: string, known: Set<string>): string[] {
  const plain = (text.toLowerCase().match(word) ?? []).filter(
    (each) => each.length > 1 && !filler.has(each) && !tokens(each).every((token) => known.has(token)),
  )
  const singular = plain.map((each) => (each.length > 3 && each.endsWith('s') && !each.endsWith('ss') ? each.slice(0, -1) : each))
  const joined: string[] = []
  for (let at = 0; at < plain.length; at++) {
    joined.push(plain[at]!)
    if (singular[at] !== plain[at]) joined.push(singular[at]!)
    if (at + 1 < plain.length) joined.push(plain[at]! + plain[at + 1]!, `${plain[at]}_${plain[at + 1]}`)
  }
  return unique(joined)
}

function unique(values: string[]): string[] {
  return [...new Set(values)]
}
