/** One character of a pattern: a letter, any (`?`), one of a class (`[a-z]`), or any number of any (`*`). */
type Token = { kind: 'any' | 'star' } | { kind: 'one'; matches(char: string): boolean }

/**
 * git's patterns of paths, as `.gitattributes` uses them: a pattern without a slash is held against the last part of a
 * path, any other against the whole path; `*`, `?` and `[…]` stay within a part, `**` between slashes is any number of parts.
 *
 * A class across a slash is not known; git's own is of no use.
 *
 * No regular expression is made of a pattern: whoever writes a repository's patterns must not be able to stop us, so
 * matching takes at most length of pattern × length of path steps.
 */
export function toPathMatcher(pattern: string): (path: string) => boolean {
  const written = toBytes(pattern)
  if (!written.includes('/')) {
    const tokens = toTokens(written)
    return (path) => matchesPart(tokens, toBytes(path.slice(path.lastIndexOf('/') + 1)))
  }
  const parts = written.replace(/^\//, '').split('/').map((part) => (/^\*{2,}$/.test(part) ? '**' : toTokens(part)))
  return (path) => matchesParts(parts, toBytes(path).split('/'))
}

/** One character a byte: to git, `?` is a byte. */
function toBytes(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

function matchesParts(parts: ('**' | Token[])[], names: string[]): boolean {
  // reach[n]: the parts so far can be the first n names.
  let reach = names.map(() => false)
  reach.unshift(true)
  parts.forEach((part, index) => {
    const next = reach.map(() => false)
    if (part === '**') {
      // At the end it stands for what is inside, which is one name at least.
      const isLast = index === parts.length - 1
      for (let n = 0, open = false; n < next.length; n++) {
        next[n] = isLast ? open : open || reach[n]!
        open ||= reach[n]!
      }
    } else {
      for (let n = 1; n < next.length; n++) next[n] = reach[n - 1]! && matchesPart(part, names[n - 1]!)
    }
    reach = next
  })
  return reach.at(-1)!
}

/** Goes back to the latest star only, which suffices: an earlier one could not match more. */
function matchesPart(tokens: Token[], name: string): boolean {
  const chars = [...name]
  let at = 0
  let char = 0
  let star = -1
  let starChar = 0
  while (char < chars.length) {
    const token = tokens[at]
    if (token?.kind === 'star') {
      star = at++
      starChar = char
    } else if (token && (token.kind === 'any' || (token.kind === 'one' && token.matches(chars[char]!)))) {
      at++
      char++
    } else if (star !== -1) {
      at = star + 1
      char = ++starChar
    } else return false
  }
  while (tokens[at]?.kind === 'star') at++
  return at === tokens.length
}

function toTokens(pattern: string): Token[] {
  const chars = [...pattern]
  const tokens: Token[] = []
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at]!
    if (char === '*') tokens.push({ kind: 'star' })
    else if (char === '?') tokens.push({ kind: 'any' })
    else if (char === '[') {
      const read = readClass(chars, at)
      tokens.push({ kind: 'one', matches: read.matches })
      at = read.end
    } else {
      const literal = char === '\\' && at + 1 < chars.length ? chars[++at]! : char
      tokens.push({ kind: 'one', matches: (other) => other === literal })
    }
  }
  return tokens
}

const named: Record<string, RegExp> = {
  alnum: /[a-zA-Z0-9]/, alpha: /[a-zA-Z]/, blank: /[ \t]/, cntrl: /[\0-\x1f\x7f]/, digit: /\d/, graph: /[\x21-\x7e]/, lower: /[a-z]/,
  print: /[\x20-\x7e]/, punct: /[!-/:-@[-`{-~]/, space: /[ \t\n\v\f\r]/, upper: /[A-Z]/, xdigit: /[\da-fA-F]/,
}

/** A class that is not closed matches nothing, as in git. `end` is the index of its last character. */
function readClass(chars: string[], start: number): { end: number; matches(char: string): boolean } {
  const isNegated = chars[start + 1] === '!' || chars[start + 1] === '^'
  const first = start + (isNegated ? 2 : 1)
  const tests: ((char: string) => boolean)[] = []
  let at = first
  for (; at < chars.length && (chars[at] !== ']' || at === first); at++) {
    const name = chars[at] === '[' && chars[at + 1] === ':' ? /^\[:([a-z]+):\]/.exec(chars.slice(at, at + 12).join('')) : null
    if (name) {
      const known = named[name[1]!]
      tests.push((char) => known?.test(char) ?? false)
      at += name[0].length - 1
      continue
    }
    if (chars[at] === '\\') at++
    const from = chars[at] ?? ''
    if (chars[at + 1] === '-' && chars[at + 2] !== ']' && chars[at + 2] !== undefined) {
      at += chars[at + 2] === '\\' ? 3 : 2
      const to = chars[at] ?? ''
      tests.push((char) => char >= from && char <= to)
    } else tests.push((char) => char === from)
  }
  if (at >= chars.length) return { end: chars.length, matches: () => false }
  return { end: at, matches: (char) => tests.some((test) => test(char)) !== isNegated }
}
