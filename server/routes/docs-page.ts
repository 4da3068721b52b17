import { escapeHtml } from '../escape-html.ts'

type Json = Record<string, unknown>
type Operation = {
  summary?: string
  security?: unknown[]
  parameters?: { name: string; in: string; required: boolean; schema: Json }[]
  requestBody?: { content: Record<string, { schema: Json }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>
}

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
  h2 { margin-top: 2.5rem; font-size: 1.1rem } h2 b { display: inline-block; min-width: 4.5rem }
  code, pre { font: 14px/1.45 ui-monospace, monospace } pre { background: #f4f4f5; padding: .75rem 1rem; overflow-x: auto; border-radius: 6px }
  table { border-collapse: collapse } td, th { text-align: left; padding: .15rem 1rem .15rem 0; vertical-align: top } summary { cursor: pointer }
  @media (prefers-color-scheme: dark) { body { color: #e4e4e7; background: #18181b } pre { background: #27272a } }`

/** One readable page of an OpenAPI document. It needs no script, no font and no other file. */
export function toDocsPage(document: Json): string {
  const { title, version, description } = document.info as { title: string; version: string; description: string }
  const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => toSection(method.toUpperCase(), path, operation)),
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)} API</title><style>${style}</style></head><body>
<h1>${escapeHtml(title)} API <small>${escapeHtml(version)}</small></h1>
<p>${escapeHtml(description)}</p>
<p>Where a token is asked for, send <code>Authorization: Bearer …</code>: a JWT signed (HS256) with <code>NURA_SERVICE_SECRET</code>, with <code>aud: "nura"</code>, <code>tenant</code>, <code>sub</code> and an <code>exp</code> at most ten minutes away. Without that secret Nura answers this machine only, and asks for none. The same as data: <a href="/openapi.json">/openapi.json</a>.</p>
${operations.join('\n')}
</body></html>`
}

function toSection(method: string, path: string, { summary = '', security, parameters = [], requestBody, responses }: Operation): string {
  const rows = parameters.map(({ name, in: place, required, schema }) => `<tr><td><code>${escapeHtml(name)}</code><td>${place}${required ? ', required' : ''}<td>${escapeHtml(toHint(schema))}`)
  const answers = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const shown = Number(status) < 400 ? Object.entries(content).map(([type, { schema }]) => toDetails(type, schema)) : []
    return `<tr><td>${status}<td>${escapeHtml(description)}${shown.join('')}`
  })
  const body = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => `<p>Body: <code>${escapeHtml(type)}</code></p>${toPre(schema)}`)
  return `<section><h2><b>${method}</b> <code>${escapeHtml(path)}</code></h2><p>${escapeHtml(summary)}${security ? ' <em>(token)</em>' : ''}</p>
${rows.length > 0 ? `<table>${rows.join('')}</table>` : ''}${body.join('')}<table>${answers.join('')}</table></section>`
}

function toDetails(type: string, schema: Json): string {
  if (typeof schema.description === 'string') return `<br><code>${escapeHtml(type)}</code>: ${escapeHtml(schema.description)}`
  return `<details><summary><code>${escapeHtml(type)}</code></summary>${toPre(schema)}</details>`
}

function toPre(schema: Json): string {
  return `<pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre>`
}

function toHint(schema: Json): string {
  return [schema.type, schema.enum ? `one of ${(schema.enum as unknown[]).join(', ')}` : '', schema.description].filter(Boolean).join('; ')
}
