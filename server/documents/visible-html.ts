import { Parser } from 'htmlparser2'

/** Elements whose content is never read by a person who looks at the page. */
export const unseen: ReadonlySet<string> = new Set('head script style template noscript iframe object embed applet svg math canvas audio video datalist'.split(' '))
const hiding = /(?:^|;)(?:display:none|visibility:(?:hidden|collapse)|opacity:0(?:\.0*)?(?:%|;|!|$)|font-size:0(?:\.0*)?(?:[a-z%]*)(?:;|!|$))/i

/**
 * A page without what cannot be seen of it: scripts, styles, comments, attributes, and elements that it hides by an attribute, by
 * their own style or by a plain rule (`.name {…}`, `#name {…}`) of its style sheets. What is left is tags and text.
 */
export function toVisibleHtml(html: string): string {
  const rules = findHidingRules(html)
  const pieces: string[] = []
  /** The open elements within the outermost one that is hidden. */
  let hidden = 0
  /** The open cells of tables. What is in the outermost one stays on its line. */
  let cells = 0
  const parser = new Parser({
    onopentag(name, attributes) {
      if (hidden > 0 || isHidden(name, attributes, rules)) return void hidden++
      pieces.push(cells === 0 ? `<${name}>` : toBreak(name))
      if (isCell(name)) cells++
    },
    onclosetag(name) {
      if (hidden > 0) return void hidden--
      if (isCell(name)) cells--
      if (cells > 0) pieces.push(toBreak(name))
      else if (!isVoid(name)) pieces.push(`</${name}>`)
    },
    ontext(text) {
      if (hidden === 0) pieces.push(escapeText(text))
    },
  })
  parser.end(html)
  return pieces.join('')
}

export function isHidden(name: string, attributes: Record<string, string>, rules: ReadonlySet<string>): boolean {
  if (unseen.has(name) || 'hidden' in attributes || (name === 'input' && attributes.type === 'hidden')) return true
  if (attributes['aria-hidden']?.toLowerCase() === 'true') return true
  if (attributes.style !== undefined && isHiding(attributes.style)) return true
  if (rules.size === 0) return false
  const names = [...(attributes.class ?? '').split(/\s+/).map((each) => `.${each}`), `#${attributes.id ?? ''}`]
  return names.some((each) => rules.has(each))
}

function isHiding(style: string): boolean {
  return hiding.test(style.replace(/\/\*[^]*?\*\//g, '').replace(/\s+/g, ''))
}

/** Class and id selectors that hide what they select, on their own. */
function findHidingRules(html: string): ReadonlySet<string> {
  const sheets: string[] = []
  let isSheet = false
  const parser = new Parser({
    onopentag: (name) => void (isSheet = name === 'style'),
    onclosetag: () => void (isSheet = false),
    ontext(text) {
      if (isSheet) sheets.push(text)
    },
  })
  if (/<style/i.test(html)) parser.end(html)
  const rules = new Set<string>()
  for (const rule of sheets.join('').split('}')) {
    const [selectors = '', style = ''] = rule.split('{').slice(-2)
    if (isHiding(style)) for (const selector of selectors.split(',')) if (/^\s*[.#][\w-]+\s*$/.test(selector)) rules.add(selector.trim())
  }
  return rules
}

function isCell(name: string): boolean {
  return name === 'td' || name === 'th'
}

function toBreak(name: string): string {
  return /^(?:p|div|br|h[1-6]|ul|ol|li|d[dlt]|table|tr|td|th|pre|blockquote|section|article)$/.test(name) ? ' ' : ''
}

function isVoid(name: string): boolean {
  return /^(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)$/.test(name)
}

function escapeText(text: string): string {
  return text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]!)
}
