export type Welcome = {
  url: string
  /** Platforms that are configured, such as `slack`. */
  surfaces: readonly string[]
  /** Questions that the index answers. */
  questions: readonly string[]
  /** True when `/v1` wants a token. */
  hasToken: boolean
}

/** What `npm start` prints once it serves: what runs, and what to try next. */
export function toWelcome({ url, surfaces, questions, hasToken }: Welcome): string {
  const [first = 'where does this repository start?', ...others] = questions
  const curl = `curl -s ${url}/v1/ask -H 'content-type: application/json' -d '${JSON.stringify({ question: first }).replaceAll("'", String.raw`'\''`)}'`
  return [
    '',
    `Nura serves ${url}${surfaces.length > 0 ? ` and talks in ${surfaces.join(', ')}` : ''}. Try, in another terminal:`,
    '',
    `  npm run ask -- ${quoted(first)}`,
    ...others.map((question) => `  npm run ask -- ${quoted(question)}`),
    ...(hasToken ? [] : ['', `  ${curl}`]),
    '',
    `  ${url}/docs describes the API. Ctrl-C stops.`,
    '',
  ].join('\n')
}

function quoted(question: string): string {
  return `"${question.replace(/[\\"$`]/g, String.raw`\$&`)}"`
}
