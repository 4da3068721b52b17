/** What of a text that people see acts: addresses that a surface would make live, and names that call somebody. */
export type Acting = { links: string[]; mentions: string[] }

const live = [
  /[a-z][a-z0-9+.-]{1,20}:(?:\/\/|\\\\)[^\s"'<>)\]]*/gi,
  /\b(?:mailto|javascript|data|msteams|slack|tel):[^\s"'<>)\]]+/gi,
  /\bwww\.[^\s"'<>)\]]+/gi,
  /\b(?:[\w-]+\.)+example\b[^\s"'<>)\]]*/gi,
  /!\[[^\]]*\]/g,
  /\]\([^)]*\)/g,
  /^\s*\[[^\]]+\]:\s*\S+/gm,
  /<(?:a|img|iframe|script)\b[^>]*>/gi,
]
const calls = /<!(?:channel|here|everyone|subteam)[^>]*>?|<@[UW][A-Z0-9]+>?|<at>[^<]*<\/at>|(?<![\p{L}\p{N}_`])@(?:channel|here|everyone)\b/gu

/** @param allowed addresses that are ours: those of citations, character by character */
export function findActing(text: string, allowed: ReadonlySet<string>): Acting {
  let rest = text
  for (const url of [...allowed].sort((a, b) => b.length - a.length)) rest = rest.replaceAll(`](${url})`, ']').replaceAll(`<${url}|`, '').replaceAll(new RegExp(`${RegExp.escape(url)}(?![\\w/?#&=%.:@-])`, 'g'), '')
  return { links: live.flatMap((pattern) => rest.match(pattern) ?? []), mentions: rest.match(calls) ?? [] }
}

/** Every text of a payload, however deep. */
export function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsOf)
}
