import { pick } from './draw.ts'
import type { Draw } from './draw.ts'

/** Writes a secret where people write them, under a name of some words. */
type Place = { name: string; write(called: string, secret: string, draw: Draw): string }

const snake = (called: string) => called.replaceAll(' ', '_')
const shout = (called: string) => snake(called).toUpperCase()
const camel = (called: string) => called.replace(/ (\w)/g, (_, letter: string) => letter.toUpperCase())
/** As a string of code has it: on one line. */
const escaped = (secret: string) => secret.replaceAll('\n', '\\n')
const code = ['export function connect(url) {', '  // Opens what the configuration names.', '  return open(url, { retries: 3 })', '}', '', "import { readFile } from 'node:fs/promises'", 'const limit = 42', 'for (const each of list) each.close()']

function filler(lines: number, draw: Draw): string {
  return Array.from({ length: lines }, () => pick(code, draw)).join('\n')
}

/** Where a name stands before the secret. */
export const assignments: readonly Place[] = [
  { name: 'JavaScript', write: (called, secret) => `const ${camel(called)} = '${escaped(secret)}'` },
  { name: 'TypeScript', write: (called, secret) => `export const config: Config = { retries: 3, ${camel(called)}: "${escaped(secret)}" }` },
  { name: 'Python', write: (called, secret) => `def connect():\n    ${snake(called)} = "${escaped(secret)}"\n    return open(${snake(called)})` },
  { name: 'Go', write: (called, secret) => `\t${camel(called)} := "${escaped(secret)}"` },
  { name: 'Java', write: (called, secret) => `private static final String ${shout(called)} = "${escaped(secret)}";` },
  { name: 'Ruby', write: (called, secret) => `config = { :${snake(called)} => '${escaped(secret)}' }` },
  { name: 'PHP', write: (called, secret) => `    '${snake(called)}' => '${escaped(secret)}',` },
  { name: '.env', write: (called, secret) => `PORT=3000\n${shout(called)}=${escaped(secret)}\nHOST=0.0.0.0` },
  { name: 'shell', write: (called, secret) => `export ${shout(called)}="${escaped(secret)}"` },
  { name: 'YAML', write: (called, secret) => `service:\n  port: 80\n  ${snake(called)}: ${escaped(secret)}\n  host: a` },
  { name: 'YAML, quoted', write: (called, secret) => `env:\n  - ${shout(called)}: "${escaped(secret)}"` },
  { name: 'JSON', write: (called, secret) => JSON.stringify({ port: 80, [snake(called)]: secret, host: 'a' }, null, 2) },
  { name: 'minified JSON', write: (called, secret, draw) => JSON.stringify({ rows: Array.from({ length: 400 }, (_, id) => ({ id, name: pick(code, draw) })), [camel(called)]: secret, end: true }) },
  { name: 'TOML', write: (called, secret) => `[service]\n${snake(called)} = '${escaped(secret)}'` },
  { name: 'properties', write: (called, secret) => `service.port=80\nservice.${snake(called)}=${escaped(secret)}` },
  { name: 'diff', write: (called, secret) => `@@ -1,2 +1,2 @@\n-${shout(called)}=\n+${shout(called)}=${escaped(secret)}\n PORT=80` },
  { name: 'Markdown', write: (called, secret) => `Set it first:\n\n\`\`\`sh\nexport ${shout(called)}=${escaped(secret)}\n\`\`\`\n` },
  { name: 'chat', write: (called, secret) => `hey, why does this fail? ${called}: ${escaped(secret)} thanks!` },
  { name: 'JSON in a string', write: (called, secret) => `body: ${JSON.stringify(JSON.stringify({ [snake(called)]: secret }))}` },
  { name: 'beside a comment that switches scanners off', write: (called, secret) => `// secretlint-disable\n/* secretlint-disable-next-line */\nconst ${camel(called)} = "${escaped(secret)}" // gitleaks:allow secretlint-disable-line` },
  { name: 'deep in a long file', write: (called, secret, draw) => `${filler(160 + draw(80), draw)}\nconst ${camel(called)} = "${escaped(secret)}"\n${filler(100, draw)}` },
]

/** Where nothing but the secret itself tells what it is. */
export const bare: readonly Place[] = [
  { name: 'bare line', write: (_, secret) => `before\n${secret}\nafter` },
  { name: 'string', write: (_, secret) => `open("${escaped(secret)}")` },
  { name: 'after an escape', write: (_, secret) => `print("try\\n${escaped(secret)}\\n")` },
  { name: 'Markdown table', write: (_, secret) => `| stage | value |\n|---|---|\n| live | \`${escaped(secret)}\` |` },
  { name: 'XML', write: (_, secret) => `<add key="Value" value="${escaped(secret)}" />\n<value>${escaped(secret)}</value>` },
  { name: 'chat', write: (_, secret) => `does anyone know what ${secret} is? (I found it in the wiki)` },
  { name: 'Slack code', write: (_, secret) => `it says \`\`\`${secret}\`\`\` and then stops` },
  { name: 'list', write: (_, secret) => `[1, '${escaped(secret)}', 2]` },
  { name: 'diff', write: (_, secret) => `@@ -1,0 +1,${secret.split('\n').length} @@\n${secret.split('\n').map((line) => `+${line}`).join('\n')}` },
]
