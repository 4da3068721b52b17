/** What a file is for, judged by its path alone. */
export type FileRole = 'source' | 'test' | 'docs' | 'example' | 'history' | 'config' | 'generated' | 'data'

const code =
  /\.(?:[cm]?[jt]sx?|pyi?|go|rs|rb|java|kts?|groovy|cs|fs|vb|php|swift|scala|clj[cs]?|ex|exs|erl|hs|ml|lua|dart|r|jl|m|mm|c|cc|cpp|cxx|h|hh|hpp|hxx|pl|pm|sh|bash|zsh|ps1|sql|vue|svelte|astro|css|scss|sass|less|html?|hbs|ejs|jinja2?|tmpl|proto|graphql|gql|tf|zig|nim|sol)$/i

/** First match wins. A folder may stand anywhere in the path. */
const roles: [FileRole, RegExp][] = [
  [
    'generated',
    /(?:^|\/)(?:dist|build|out|vendor|node_modules|third_party|__generated__|generated)\/|\.min\.(?:js|css)$|\.pb\.go$|_pb2(?:_grpc)?\.py$|\.(?:g|generated)\.[a-z]+$|(?:^|\/)(?:package-lock\.json|yarn\.lock|pnpm-lock\.yaml|go\.sum|Cargo\.lock|poetry\.lock|uv\.lock|Gemfile\.lock|composer\.lock)$/i,
  ],
  [
    'history',
    /(?:^|\/)(?:change[-_ ]?log|changes|history|news|releases?|release[-_ ]notes|whatsnew|migrating|upgrading)(?:\.(?:md|mdx|rst|adoc|txt|html))?$|(?:^|\/)(?:changelogs?|changesets?|\.changeset|news|release[-_]notes|whatsnew)\//i,
  ],
  [
    'test',
    /(?:^|\/)(?:tests?|__tests__|__mocks__|specs?|testing|testdata|fixtures?|e2e|integration[-_]tests?|cypress|test[-_]utils?)\/|(?:^|\/)(?:test_[^/]+|conftest)\.py$|[._-](?:test|tests|spec|specs|e2e|bench|benchmark)\.[a-z]+$|(?:Test|Tests|Spec|TestCase|IT)\.(?:java|kt|cs|scala|groovy|swift|php)$|_test\.[a-z]+$|_test\.exs$|(?:^|\/)(?:bench|benches|benchmarks?)(?:\/|_)/i,
  ],
  ['docs', /(?:^|\/)(?:tutorials?|\.github|\.gitlab)\/(?:.*\/)?[^/]+\.(?:md|mdx|rst|adoc|asciidoc|txt)$/i],
  ['example', /(?:^|\/)(?:examples?|samples?|demos?|playground|tutorial|snippets|_examples?|templates?\/(?:app|project)s?)\//i],
  [
    'config',
    /(?:^|\/)(?:\.github|\.gitlab|\.circleci|\.husky|\.vscode|\.idea|ci)\/|(?:^|\/)\.[^/]+$|(?:^|\/)(?:Dockerfile|Makefile|Jenkinsfile|Procfile|docker-compose[^/]*|package\.json|tsconfig[^/]*\.json|setup\.(?:py|cfg)|pyproject\.toml|go\.mod|Cargo\.toml|[^/]+\.config\.[cm]?[jt]s|noxfile\.py|tox\.ini|[^/]*eslint[^/]*)$/i,
  ],
  ['docs', /\.(?:md|mdx|rst|adoc|asciidoc|txt|pdf|docx?|tex|org)$|(?:^|\/)(?:docs?|documentation|wiki|website|site)\//i],
  ['source', code],
]

export function fileRole(path: string): FileRole {
  return roles.find(([, pattern]) => pattern.test(path))?.[0] ?? 'data'
}
