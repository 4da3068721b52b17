import { Parser } from 'htmlparser2'
import { htmlToMarkdown } from '../documents/html.ts'

/** Elements of Confluence's own whose text is for its editor. */
const unread = new Set(['ac:parameter', 'ac:image', 'ac:emoticon', 'ac:placeholder', 'ac:task-id', 'ac:task-status', 'ac:task-uuid', 'ac:adf-attribute', 'ac:adf-fallback', 'ri:attachment'])

/**
 * A page's body as Confluence stores it, in Markdown: its macros are opened, code becomes code, a link the name of what it leads
 * to. What a macro would fetch from elsewhere is not in it.
 */
export function storageToMarkdown(storage: string): string {
  return htmlToMarkdown(toHtml(storage))
}

function toHtml(storage: string): string {
  const pieces: string[] = []
  const macros: string[] = []
  let unreadDepth = 0
  /** Text of the code that is being read; null outside. */
  let code: string | null = null
  let linksTo: string | null = null

  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (unreadDepth > 0 || unread.has(name)) return void unreadDepth++
        if (name === 'ac:structured-macro' || name === 'ac:macro') macros.push(attributes['ac:name'] ?? '')
        else if (name === 'ac:plain-text-body') code = ''
        else if (name === 'ac:link') linksTo = null
        else if (name === 'ri:page' || name === 'ri:blog-post') linksTo = attributes['ri:content-title'] ?? null
        else if (name === 'ac:link-body' || name === 'ac:plain-text-link-body') linksTo = ''
        else if (name === 'ac:task') pieces.push('<li>')
        else if (name === 'ac:task-list') pieces.push('<ul>')
        else if (/^h[1-6]$/.test(name)) pieces.push(`<${lower(name)}>`)
        else if (!name.includes(':')) pieces.push(toTag(name, attributes))
      },
      onclosetag(name) {
        if (unreadDepth > 0) return void unreadDepth--
        if (name === 'ac:structured-macro' || name === 'ac:macro') macros.pop()
        else if (name === 'ac:plain-text-body') {
          pieces.push(macros.at(-1) === 'code' || macros.at(-1) === 'noformat' ? `<pre>${escapeText(code ?? '')}</pre>` : `<p>${escapeText(code ?? '')}</p>`)
          code = null
        } else if (name === 'ac:link') {
          if (linksTo) pieces.push(escapeText(linksTo))
          linksTo = null
        } else if (name === 'ac:task') pieces.push('</li>')
        else if (name === 'ac:task-list') pieces.push('</ul>')
        else if (/^h[1-6]$/.test(name)) pieces.push(`</${lower(name)}>`)
        else if (!name.includes(':')) pieces.push(`</${name}>`)
      },
      ontext(text) {
        if (unreadDepth > 0) return
        if (code !== null) code += text
        else pieces.push(escapeText(text))
      },
    },
    { xmlMode: true, recognizeSelfClosing: true, decodeEntities: true },
  )
  // Names of entities that XML does not know, such as of a space that does not break, are HTML's.
  parser.end(storage.replace(/&(?!(?:amp|lt|gt|quot|apos);)([a-z][a-z0-9]{1,30});/gi, (entity, name: string) => htmlEntities[name] ?? entity))
  return pieces.join('')
}

const htmlEntities: Record<string, string> = {
  nbsp: ' ', ndash: '–', mdash: '—', hellip: '…', rsquo: '’', lsquo: '‘', rdquo: '”', ldquo: '“', bdquo: '„', laquo: '«', raquo: '»', rarr: '→', larr: '←', harr: '↔', uarr: '↑', darr: '↓',
  bull: '•', middot: '·', copy: '©', reg: '®', trade: '™', euro: '€', pound: '£', yen: '¥', cent: '¢', sect: '§', para: '¶', deg: '°', plusmn: '±', times: '×', divide: '÷', le: '≤', ge: '≥', ne: '≠', asymp: '≈',
  infin: '∞', auml: 'ä', ouml: 'ö', uuml: 'ü', Auml: 'Ä', Ouml: 'Ö', Uuml: 'Ü', szlig: 'ß', eacute: 'é', egrave: 'è', ecirc: 'ê', agrave: 'à', acirc: 'â', ccedil: 'ç', ntilde: 'ñ', oacute: 'ó', iacute: 'í', aacute: 'á', uacute: 'ú',
}

/** The title of the page is above its headings. */
function lower(heading: string): string {
  return `h${Math.min(6, Number(heading[1]) + 1)}`
}

/** Its style stays, which may hide it. */
function toTag(name: string, { style }: Record<string, string>): string {
  return style === undefined ? `<${name}>` : `<${name} style="${escapeText(style).replaceAll('"', '&quot;')}">`
}

function escapeText(text: string): string {
  return text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]!)
}
