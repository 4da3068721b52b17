/** Past participles that are not made by adding -ed; each also stands for itself. */
const irregular: Record<string, string> = {
  set: 'set', read: 'read', put: 'put', cut: 'cut', hit: 'hit', let: 'let', split: 'split', reset: 'reset', write: 'written', rewrite: 'rewritten',
  send: 'sent', build: 'built', rebuild: 'rebuilt', get: 'fetched', make: 'made', find: 'found', keep: 'kept', hold: 'held', catch: 'caught',
  throw: 'thrown', choose: 'chosen', take: 'taken', give: 'given', do: 'done', run: 'run', begin: 'begun', draw: 'drawn', bind: 'bound',
  break: 'broken', hide: 'hidden', know: 'known', lose: 'lost', feed: 'fed', spawn: 'spawned', override: 'overridden', overwrite: 'overwritten',
  freeze: 'frozen', lead: 'led', tell: 'told', teach: 'taught', bring: 'brought', buy: 'bought', pay: 'paid', sell: 'sold', show: 'shown',
}
const participles = new Set(Object.values(irregular))
const particles = new Set('up out in off down on over back away through'.split(' '))
const prepositions = new Set('of in for from to with on by at into as before after when if while during against between without per that which'.split(' '))
const notVerbs = new Set('need need to want have store'.split(' ').slice(0, 4))

/**
 * Turns a question for a place into the beginning of its answer: «Where do we verify webhook signatures?» becomes
 * «Webhook signatures are verified». Null when the question has a form that it does not know.
 */
export function restate(question: string): string | null {
  const asked = question.trim().replace(/^(?:hi|hey|hello|ok|so|and|also|please|quick question)\b[\s,:!-]*/i, '').replace(/[?!.\s]+$/, '').replace(/\s+/g, ' ')
  if (/[\n`"]|\b(?:and|or)\b/.test(asked) || asked.split(' ').length > 12) return null
  const active = /^(?:in )?(?:where|(?:which|what) (?:file|module|place|part of the code|function|method|class|component)) (?:in [\w ./-]+? )?(?:do|does|did) (?:we|you|it|one|they|nura|the (?:app|code|server|bot|system|framework|library)) ([a-z]+) (.+)$/i.exec(asked)
  if (active) return passive(active[1]!.toLowerCase(), active[2]!)
  const already = /^(?:in )?(?:where|(?:which|what) (?:file|module|place|part of the code|component)) (is|are|was|were) (.+) ([a-z]+)$/i.exec(asked)
  if (already && isParticiple(already[3]!.toLowerCase())) return capital(`${strip(already[2]!)} ${already[1]!.toLowerCase()} ${already[3]!.toLowerCase()}`)
  return null
}

function passive(verb: string, rest: string): string | null {
  if (notVerbs.has(verb)) return null
  const words = rest.split(' ')
  const particle = particles.has(words[0]!.toLowerCase()) ? words.shift()!.toLowerCase() : undefined
  const cut = words.findIndex((word) => prepositions.has(word.toLowerCase()))
  const object = strip((cut < 0 ? words : words.slice(0, cut)).join(' '))
  const after = cut < 0 || cut === words.length - 1 ? '' : ` ${words.slice(cut).join(' ')}`
  if (!object || prepositions.has(words[0]?.toLowerCase() ?? '') || /^(?:that|whether|how|what|it|them|this)\b/i.test(object)) return null
  const attached = /^ of\b/.test(after)
  const verbs = `${isPlural(object) ? 'are' : 'is'} ${participle(verb)}${particle ? ` ${particle}` : ''}`
  return capital(attached ? `${object}${after} ${verbs}` : `${object} ${verbs}${after}`)
}

function strip(object: string): string {
  return object.replace(/^(?:our|my|your|all|any|its|their)\s+/i, 'the ').replace(/^the the /i, 'the ').replace(/\b(?:actually|really|currently|exactly)\s+/gi, '').trim()
}

function participle(verb: string): string {
  if (irregular[verb]) return irregular[verb]
  if (/e$/.test(verb)) return `${verb}d`
  if (/[^aeiou]y$/.test(verb)) return `${verb.slice(0, -1)}ied`
  if (/^[^aeiou]*[aeiou][bdgklmnprt]$/.test(verb) && verb.length < 6 && !/[wxy]$/.test(verb) && verb !== 'look') return `${verb}${verb.at(-1)}ed`
  return `${verb}ed`
}

function isParticiple(word: string): boolean {
  return participles.has(word) || /[^e]ed$/.test(word)
}

function isPlural(object: string): boolean {
  const head = object.split(' ').at(-1)!.toLowerCase()
  return /[^sui]s$|ies$|data$/.test(head) && !/(?:ss|us|is|status|access|address|process|class|redis|postgres|sass|cors|dns|https|aws|js|tls)$/.test(head)
}

function capital(text: string): string {
  const [first] = text.split(' ')
  return /\p{Lu}|_|\d/u.test(first!) ? text : text[0]!.toUpperCase() + text.slice(1)
}
