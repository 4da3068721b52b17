/** The shape of an answer: which facts come first. */
export type Shape = 'where' | 'what' | 'usage' | 'tests' | 'flow' | 'howto' | 'why' | 'modules' | 'overview'

/** First match wins. */
const shapes: [Shape, RegExp][] = [
  ['overview', /\b(?:what|who)(?:'s| is| does| can)? (?:this|the|our) (?:repo|repository|project|product|code ?base|tool|library|package|app|application|service|system)\b(?!.{0,3}['’]s)(?:\W*$| (?:do|does|about|for|offer|solve)\b)|\bwhat(?:'s| is) this\b\W*$|\boverview of (?:this|the|our) (?:repo|repository|project|code ?base)\b|^(?:give me )?(?:an )?(?:overview|summary|introduction|elevator pitch)\W*$|\bwhat (?:is|does) (?:this|it) (?:for|do)\W*$/i],
  ['why', /\bwhy\b|\bhow come\b|\b(?:reason|rationale|motivation|reasoning)\b|\bwhat(?:'s| is) the (?:point|purpose) of\b.*\b(?:not|instead|rather)\b/i],
  ['usage', /\b(?:who|what|which \w+|where)\b.*\b(?:calls?|uses?|using|invokes?|invoked|imports?|imported|references?|depends? on|called|used|consumes?)\b(?! (?:for|to)\b)|\b(?:usages?|callers?|references|call sites?) (?:of|to|for)\b|\b(?:anything|anyone|anybody|something)\b.*\b(?:uses?|calls?|using)\b/i],
  ['where', /^\W*(?:(?:and|so|ok|hi|hey)\W+)*(?:in )?(?:where|(?:which|what) (?:\w+ )?(?:file|module|class|function|method|package|place|component|folder|directory)s?)\b(?!.*\b(?:tests?|specs?|tested|covered)\b)/i],
  ['howto', /\bhow (?:do|can|should|would|could|might) (?:i|we|you|one|someone|users?|people|customers?|a (?:user|customer|developer))\b|\bhow to\b|\bways? to\b|\b(?:configure|configured|configuration|install|installation|set ?up|getting started)\b|\b(?:environment|env) variables?\b|\bcommands?\b.*\b(?:run|start|build|test|lint)|\bexamples? (?:of|for)\b/i],
  ['tests', /\b(?:which|what|where)\b.*\b(?:tests?|specs?|tested|covered)\b|\b(?:is|are) (?:there|it|this|that|\S+) .*\btests?\b|\btested\b|\btests? (?:for|of|that)\b|\btest coverage\b/i],
  ['flow', /\bwhat happens\b|\b(?:flows?|lifecycle|life cycle|pipeline|step by step|end to end|journey|sequence of)\b|\bhow (?:does|do|is|are|did)\b|\bwalk (?:me )?through\b|\bfrom\b.+\bto\b.+\bcode\b/i],
  ['where', /\bwhere\b|\b(?:which|what) (?:\w+ )?(?:file|files|module|class|function|method|package|part|place|component|type|struct|line|folder|directory)\b|\b(?:find|locate|show me|point me)\b/i],
]

const modular = /\b(?:architecture|structured?|modules?|components?|boundar(?:y|ies)|layers?|layering|dependenc(?:y|ies)|depends?|coupl\w+|organi[sz]ed|building blocks|packages|folders|directories|subsystems?|big picture|top.level)\b/i

/** Which shape answers a question; `modules` only for an agent that looks at modules first, or when the question names them. */
export function shapeOf(question: string, first: 'code' | 'documents' | 'modules'): Shape {
  const found = shapes.find(([, pattern]) => pattern.test(question))?.[0] ?? 'what'
  if (found === 'overview' || found === 'why') return found
  if (modular.test(question) && (first === 'modules' || (found !== 'usage' && found !== 'howto' && found !== 'where'))) return 'modules'
  return found
}

/** True when the question asks to see code, whatever the agent. */
export function asksForCode(question: string): boolean {
  return /\b(?:show|see|give|paste|print|read)\b.*\b(?:code|snippet|implementation|source|example|lines?)\b|\bcode (?:of|for|that|which)\b|\bexample (?:of|code|for)\b|\bsnippet\b/i.test(question)
}

/** Whether a question asks what a repository is, by its name or the last part of it. */
export function asksFor(question: string, repository: string): boolean {
  const asked = /^\W*(?:what(?:'s| is| does)|who is|describe|explain|tell me about|introduce)\s+(?:the\s+)?["'`]?([\w./-]+?)["'`]?(?:\s+(?:do|about|for|project|repo|repository|library|framework))*\W*$/i.exec(question)?.[1]?.toLowerCase()
  return asked !== undefined && [repository.toLowerCase(), repository.toLowerCase().split('/').at(-1)].includes(asked)
}
