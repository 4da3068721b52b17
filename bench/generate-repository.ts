import { createRandom } from '#infra/testing/create-random.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import type { TestRepository } from '#server/testing/create-repository.ts'

const nouns = ['account', 'invoice', 'session', 'webhook', 'cursor', 'ledger', 'tenant', 'shipment', 'payload', 'quota', 'token', 'batch', 'region', 'policy']
const verbs = ['load', 'verify', 'merge', 'schedule', 'encode', 'reconcile', 'publish', 'expire', 'split', 'retry', 'resolve', 'charge', 'collect', 'route']

/**
 * A committed repository of `files` files that differ: seven in ten TypeScript, the rest Python, Go and Markdown, 30 to 150
 * lines each, that import and call one another.
 */
export async function generateRepository(files: number, seed = 1): Promise<TestRepository> {
  const random = createRandom(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const capital = (word: string) => word[0]!.toUpperCase() + word.slice(1)
  const contents: Record<string, string> = {}

  for (let file = 0; file < files; file++) {
    const name = `${pick(verbs)}-${pick(nouns)}-${file}`
    const folder = `src/${pick(nouns)}/${pick(verbs)}`
    const kind = random()
    const parts = 3 + Math.floor(random() * 9)
    const functions = Array.from({ length: parts }, (_, part) => {
      const [verb, noun, other] = [pick(verbs), pick(nouns), pick(nouns)]
      return { name: `${verb}${capital(noun)}${file}x${part}`, verb, noun, other, limit: Math.floor(random() * 1000) }
    })
    if (kind < 0.7) {
      contents[`${folder}/${name}.ts`] = [
        `import { ${pick(verbs)} } from '../${pick(nouns)}/index.ts'`,
        ...functions.map(
          (made) => `
/** ${capital(made.verb)}s the ${made.noun} of a ${made.other}, at most ${made.limit} at once. */
export async function ${made.name}(${made.noun}: string, ${made.other}Count = ${made.limit}): Promise<number> {
  if (${made.noun}.length > ${made.limit}) throw new Error('${made.noun} is longer than ${made.limit}')
  let ${made.verb}d = 0
  for (const part of ${made.noun}.split('${pick(nouns)}')) {
    const found = await ${pick(functions).name}(part, ${made.other}Count - 1)
    ${made.verb}d += found * ${made.limit}
  }
  return ${made.verb}d
}`,
        ),
      ].join('\n')
    } else if (kind < 0.8) {
      contents[`${folder}/${name.replaceAll('-', '_')}.py`] = functions
        .map(
          (made) => `
def ${made.verb}_${made.noun}_${made.limit}(${made.noun}, limit=${made.limit}):
    """${capital(made.verb)} every ${made.noun} of the ${made.other}."""
    result = []
    for part in ${made.noun}:
        if len(result) >= limit:
            raise ValueError("too many ${made.other}s")
        result.append(${pick(verbs)}(part, limit))
    return result
`,
        )
        .join('\n')
    } else if (kind < 0.9) {
      const bodies = functions.map(
        (made) => `
// ${capital(made.name)} ${made.verb}s a ${made.noun}.
func ${capital(made.name)}(${made.noun} string, limit int) (int, error) {
	if limit > ${made.limit} {
		return 0, fmt.Errorf("${made.other} over %d", limit)
	}
	return len(${made.noun}) * ${made.limit}, nil
}`,
      )
      contents[`${folder}/${name}.go`] = `package ${pick(nouns)}\n\nimport "fmt"\n${bodies.join('\n')}\n`
    } else {
      const sections = functions.map(
        (made) =>
          `## How to ${made.verb} a ${made.noun}\n\nThe ${made.noun} belongs to the ${made.other}. ${capital(made.verb)} it with \`${made.name}\`, which takes up to ${made.limit} at once and reports what was left. See also ${pick(nouns)} and ${pick(nouns)}.`,
      )
      contents[`docs/${pick(nouns)}/${name}.md`] = `# ${capital(pick(nouns))} ${file}\n\n${sections.join('\n\n')}\n`
    }
  }
  return createRepository(contents)
}
