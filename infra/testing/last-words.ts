/** Of what processes wrote: their warnings and errors, at most the last 4,000 characters of them, and then their last lines. */
export function lastWords(output: string): string {
  const trouble = output.split('\n').filter((line) => /^\{"level":"(?:warn|error|fatal)"/.test(line))
  return `${trouble.join('\n').slice(-4_000)}\n…\n${output.slice(-2_000)}`
}
