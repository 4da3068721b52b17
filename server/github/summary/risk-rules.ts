import type { FileRole } from '../../retrieval/file-role.ts'
import { dependencyChanges } from './dependencies.ts'
import type { FileFacts } from './facts.ts'
import { code, count, list } from './markdown.ts'

/** A kind of change that deserves a look, told by its path. The heaviest are shown first. */
export type PathRule = { id: string; weight: number; path: RegExp; roles?: readonly FileRole[]; why(file: FileFacts): string | null }

/** The same, told by an added or a removed line. */
export type LineRule = { id: string; weight: number; kind: '+' | '-'; line: RegExp; roles?: readonly FileRole[]; path?: RegExp; why: string }

const written = ['source', 'config', 'data', 'example'] as const
const source = ['source'] as const
const deployment = /(^|\/)(?:\.github\/(?:workflows|actions)\/|\.gitlab-ci|\.circleci\/|Jenkinsfile|Dockerfile|Containerfile|docker-compose|compose\.ya?ml|helm\/|charts?\/|k8s\/|kubernetes\/|terraform\/|infra\/|deploy(?:ment)?s?\/)|\.tf$|(^|\/)Dockerfile[^/]*$/i

/** What a path alone tells. */
export const pathRules: readonly PathRule[] = [
  {
    id: 'secret-file', weight: 100,
    path: /./,
    why: (file) => (file.left === 'secret-file' && file.status !== 'removed' ? 'a file that usually holds secrets is in the change; it was not read' : null),
  },
  {
    id: 'migration', weight: 80,
    path: /(^|\/)(?:migrations?|migrate|alembic|flyway|liquibase)\/|\.sql$|(^|\/)schema\.(?:prisma|rb|sql|graphql)$/i,
    roles: written,
    why: (file) => (file.status === 'removed' ? 'a migration or schema is removed' : file.status === 'modified' && /migrations?\//i.test(file.path) ? 'a migration that may have run already is changed' : 'the database schema changes'),
  },
  {
    id: 'trust', weight: 70,
    path: /(^|\/|[._-])(?:auth(?:n|z|entication|orization|orize)?|oauth|oidc|saml|sessions?|permissions?|acl|rbac|polic(?:y|ies)|crypto(?:graphy)?|encrypt(?:ion)?|signatures?|passwords?|secrets?|tokens?|jwt|csrf|cors|sandbox)(?:[._/-]|$)/i,
    roles: source,
    why: (file) => (changesCode(file) ? 'decides who may do what, or guards a secret' : null),
  },
  {
    id: 'instructions', weight: 65,
    path: /(^|\/)(?:AGENTS\.md|CLAUDE\.md|GEMINI\.md|\.cursorrules|\.nura\.yml|\.windsurfrules)$|(^|\/)(?:\.cursor|\.claude)\/|copilot-instructions\.md$/i,
    why: () => 'steers tools that read this repository',
  },
  { id: 'owners', weight: 62, path: /(^|\/)CODEOWNERS$/, why: () => 'changes who must review' },
  {
    id: 'deployment', weight: 60,
    path: deployment,
    why: (file) => (file.status === 'removed' ? 'part of build or deployment is removed' : 'changes how it is built, checked or deployed'),
  },
  {
    id: 'dependencies', weight: 55,
    path: /(^|\/)(?:package\.json|pyproject\.toml|requirements[^/]*\.txt|go\.mod|Cargo\.toml|Gemfile|composer\.json|pom\.xml|build\.gradle(?:\.kts)?|[^/]+\.csproj)$/i,
    why: toDependencies,
  },
  {
    id: 'submodule', weight: 50,
    path: /./,
    why: (file) => (file.left === 'submodule' ? 'points to another commit of another repository' : null),
  },
  {
    id: 'test-gone', weight: 50,
    path: /./,
    roles: ['test'],
    why: (file) => (file.status === 'removed' ? 'a test file is removed' : null),
  },
  {
    id: 'large', weight: 25,
    path: /./,
    roles: source,
    why: (file) => ((file.additions ?? 0) > 600 ? `${count(file.additions!, 'line')} of source in one file` : null),
  },
]

/** What a line tells. `-` rules look at what is taken away. */
export const lineRules: readonly LineRule[] = [
  {
    id: 'drops-data', weight: 95, kind: '+',
    line: /\b(?:drop\s+(?:table|column|schema|database)|truncate\s+table|delete\s+from\s+\S+\s*;|dropColumn|dropTable|remove_column|drop_table)\b/i,
    roles: written,
    why: 'deletes stored data',
  },
  {
    id: 'locks-table', weight: 78, kind: '+',
    line: /\balter\s+table\b.*\b(?:set\s+not\s+null|type\s|add\s+constraint)|\bcreate\s+(?:unique\s+)?index\s+(?!concurrently)/i,
    path: /\.sql$|migrations?\//i,
    why: 'may lock a table while it runs',
  },
  {
    id: 'verification-off', weight: 92, kind: '+',
    line: /rejectUnauthorized\s*:\s*false|verify\s*=\s*False|InsecureSkipVerify\s*:\s*true|NODE_TLS_REJECT_UNAUTHORIZED|CURLOPT_SSL_VERIFYPEER\s*,\s*(?:0|false)|alg(?:orithm)?s?["']?\s*[:=]\s*\[?\s*["']none["']/i,
    roles: written,
    why: 'turns a check of certificates or signatures off',
  },
  {
    id: 'check-gone', weight: 85, kind: '-',
    line: /\b(?:require_?(?:auth|login|admin|permission)|ensure_?(?:auth|admin)|is_?(?:admin|authenticated|authorized)|check_?permissions?|verify_?(?:signature|token|password)|timingSafeEqual|csrf_?(?:protect|token)|authorize!?|@login_required|@PreAuthorize|has_?permission)\b/i,
    roles: source,
    why: 'a line that checks rights or signatures is taken out',
  },
  {
    id: 'workflow-rights', weight: 90, kind: '+',
    line: /pull_request_target|permissions:\s*write-all|^\s*(?:contents|actions|packages|id-token|deployments):\s*write\b|curl[^|\n]*\|\s*(?:sudo\s+)?(?:ba|z)?sh\b|privileged:\s*true|--privileged\b|0\.0\.0\.0\/0/,
    path: deployment,
    why: 'gives a job or a machine more rights, or runs what it downloads',
  },
  {
    id: 'install-script', weight: 75, kind: '+',
    line: /^\s*"(?:pre|post)?install"\s*:/,
    path: /(^|\/)package\.json$/,
    why: 'runs a script on every install',
  },
  {
    id: 'runs-text', weight: 72, kind: '+',
    line: /(?<![.\w])eval\s*\(|new\s+Function\s*\(|shell\s*=\s*True|shell\s*:\s*true|\bos\.system\s*\(|\bexecSync\s*\(|child_process|\bpickle\.loads?\s*\(|yaml\.load\s*\((?!.*Safe)|Runtime\.getRuntime\(\)\.exec|\bunserialize\s*\(/,
    roles: source,
    why: 'runs text as code or as a command',
  },
  {
    id: 'raw-html', weight: 60, kind: '+',
    line: /dangerouslySetInnerHTML|\.innerHTML\s*=|\bv-html=|\|\s*safe\b|html_safe\b|bypassSecurityTrust/,
    roles: source,
    why: 'writes HTML without escaping',
  },
  {
    id: 'built-sql', weight: 68, kind: '+',
    line: /["'`](?:\s*)(?:select\s.+\sfrom|insert\s+into|update\s+\S+\s+set|delete\s+from)\b[^"'`]*(?:\$\{|["'`]\s*(?:\+|%|\.\s*format)|\{\w+\})/i,
    roles: source,
    why: 'SQL is put together from text',
  },
  {
    id: 'concurrency', weight: 45, kind: '+',
    line: /\b(?:Mutex|RwLock|Semaphore|synchronized|Atomic(?:Integer|Long|Bool\w*|Ref\w*)?|pg_advisory_(?:xact_)?lock|for\s+update|ThreadPoolExecutor|new\s+Worker|sync\.WaitGroup)\b|\bgo\s+func\s*\(|\bunsafe\s*(?:\{|fn\b|impl\b)/i,
    roles: source,
    why: 'concurrent access changes here',
  },
  {
    id: 'test-off', weight: 58, kind: '+',
    line: /\b(?:it|test|describe|context)\.(?:skip|only|todo)\b|\b(?:xit|xdescribe|fit|fdescribe)\s*\(|@(?:Disabled|Ignore)\b|@(?:pytest\.mark\.|unittest\.)skip|\bt\.Skip(?:Now)?\(|#\[ignore\]/,
    roles: ['test'],
    why: 'a test is switched off, or runs alone',
  },
]

/** More than white space and comments. */
function changesCode({ hunks, left }: FileFacts): boolean {
  return left !== null || hunks.some(({ lines }) => lines.some(({ kind, text }) => kind !== ' ' && !/^\s*(?:$|\/\/|#|\*|\/\*)/.test(text)))
}

function toDependencies(file: FileFacts): string | null {
  if (file.status === 'removed') return 'the manifest of a package is removed'
  const { added, removed, changed } = dependencyChanges(file)
  const names = (items: string[]) => list([...items.slice(0, 3).map((item) => code(item, 60)), ...(items.length > 3 ? [`${items.length - 3} more`] : [])])
  const parts = [
    ...(added.length > 0 ? [`adds ${names(added.map(({ name, version }) => `${name} ${version}`))}`] : []),
    ...(removed.length > 0 ? [`removes ${names(removed.map(({ name }) => name))}`] : []),
    ...(changed.length > 0 ? [`moves ${names(changed.map(({ name, from, to }) => `${name} ${from} → ${to}`))}`] : []),
  ]
  return parts.length > 0 ? parts.join('; ') : null
}
