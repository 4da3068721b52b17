import { lintSource } from '@secretlint/core'
import { rules } from '@secretlint/secretlint-rule-preset-recommend'
import type { SecretLintCoreConfigRule } from '@secretlint/types'
import { findSecrets, mergeSecrets } from './find-secrets.ts'
import type { Secret } from './find-secrets.ts'

export type Redacted = { text: string; found: { kind: string; count: number }[] }

/**
 * What a text must hold for a rule of the preset to find anything in it, so that most texts are told clean by one look.
 * A rule that is not in this table always runs.
 */
const needs: Record<string, RegExp> = {
  '1password': /ops_ey/,
  anthropic: /sk-ant-/,
  aws: /secret_?access_?key/i,
  basicauth: /(?:https?|ftps?):\/\/[-\w]{1,256}:/,
  cloudflare: /cf(?:k|ut|at)_/,
  'database-connection-string': /mongodb|mysql|postgres/i,
  databricks: /dapi[A-Fa-f0-9]/,
  docker: /dckr_pat_/,
  figma: /figd_/,
  gcp: /private_key/,
  github: /gh[pousr]_|github_pat_/,
  gitlab: /glpat-/,
  grafana: /gl(?:c|sa)_/,
  groq: /gsk_/,
  'hashicorp-vault': /hv[sbr]\./,
  huggingface: /hf_/,
  linear: /lin_api_/,
  notion: /ntn_/,
  npm: /npm_|_authToken|x-oauth-basic/,
  openai: /sk-/,
  privatekey: /PRIVATE KEY/,
  sendgrid: /SG\./,
  shopify: /shp(?:pa|ca|at|ss)_/,
  slack: /xox[a-z]-|xapp-|hooks\.slack\.com/i,
  stripe: /[sr]k_(?:live|test)_/,
  tailscale: /tskey-/,
  vercel: /vc[piark]_/,
}

type Scanner = { name: string; need: RegExp; config: SecretLintCoreConfigRule }

/** The preset without its filter: a comment in a tenant's file must not switch detection off. */
const scanners = rules.map(toScanner).filter(({ name }) => name !== 'filter-comments')

function toScanner(rule: (typeof rules)[number]): Scanner {
  const name = toName(rule.meta.id)
  return { name, need: needs[name] ?? /(?:)/, config: { id: rule.meta.id, rule } as SecretLintCoreConfigRule }
}

function toName(id: string): string {
  return id.replace('@secretlint/secretlint-rule-', '')
}

/** Names of the preset's detectors that run here. */
export const scannerNames: readonly string[] = scanners.map(({ name }) => name)

/** Rules that take long names and made-up tokens for secrets: what they find has a digit, or is none. */
const numbered = new Set(['aws', 'slack'])

const labels: Record<string, string> = {
  '1password': '1Password',
  aws: 'AWS',
  basicauth: 'Password',
  'database-connection-string': 'Password',
  gcp: 'Google',
  privatekey: 'PrivateKey',
  openai: 'OpenAI',
  github: 'GitHub',
  gitlab: 'GitLab',
  sendgrid: 'SendGrid',
  huggingface: 'HuggingFace',
  npm: 'npm',
}

/** One expression for all: a text without a match has nothing that a rule could find. */
const anyNeed = new RegExp(scanners.map(({ need }) => `(?:${need.source})`).join('|'), 'i')

/**
 * Replaces every secret that a detector finds by its kind, `[redacted:AWS]`. Lines stay where they are: a key of ten
 * lines leaves ten lines.
 *
 * For what is indexed, asked, sent to a model and logged alike.
 */
export async function redact(text: string): Promise<Redacted> {
  const ranges = mergeSecrets([...(await scan(text)), ...findSecrets(text)])
  const counts = new Map<string, number>()
  let clean = ''
  let at = 0
  for (const { start, end, kind } of ranges) {
    clean += text.slice(at, start) + placeholder(kind, text.slice(start, end))
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
    at = end
  }
  return { text: clean + text.slice(at), found: [...counts].map(([kind, count]) => ({ kind, count })) }
}

async function scan(text: string): Promise<Secret[]> {
  if (!anyNeed.test(text)) return []
  const wanted = scanners.filter(({ need }) => need.test(text))
  const { messages } = await lintSource({
    // No path, and no extension that a rule asks for: it would open the file, or take a whole document for one secret.
    // No byte order mark either: it would be cut off, and every range be one too short.
    source: { filePath: '', content: text.replaceAll('\uFEFF', ' '), ext: '.txt', contentType: 'text' },
    options: { config: { rules: wanted.map(({ config }) => config) }, noPhysicFilePath: true },
  })
  return messages
    .map(({ ruleId, range: [start, end] }) => ({ start, end, rule: toName(ruleId) }))
    .filter(({ start, end, rule }) => !numbered.has(rule) || /\d/.test(text.slice(start, end)))
    .map(({ start, end, rule }) => ({ start, end, kind: labelOf(rule) }))
}

function labelOf(name: string): string {
  return labels[name] ?? name.charAt(0).toUpperCase() + name.slice(1)
}

/** What stands where secrets were. */
export const placeholders = /\[redacted:[\w .-]+\]/g

function placeholder(kind: string, secret: string): string {
  return `[redacted:${kind}]${secret.replace(/[^\n]/g, '')}`
}
