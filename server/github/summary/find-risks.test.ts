import { expect, test } from 'vitest'
import { dependencyChanges } from './dependencies.ts'
import { findRisks } from './find-risks.ts'
import { toFile } from './testing/to-file.ts'

const rulesOf = async (...files: Parameters<typeof toFile>[]) => findRisks(await Promise.all(files.map((file) => toFile(...file)))).map(({ rule, side, line }) => `${rule} ${side}:${line}`)

test.each<[string, Parameters<typeof toFile>, string]>([
  ['a dropped column', ['db/migrations/2.sql', null, 'alter table a add b int;\nalter table a drop column c;\n'], 'drops-data head:2'],
  ['an index made while others wait', ['db/migrations/2.sql', null, 'create index on orders (id);\n'], 'migration head:1'],
  ['a check of rights that is gone', ['src/orders.ts', 'export function f(u) {\n  if (!isAdmin(u)) throw 1\n  return 2\n}\n', 'export function f(u) {\n  return 2\n}\n'], 'check-gone base:2'],
  ['certificates no longer checked', ['src/http.ts', 'const a = 1\n', 'const a = 1\nconst agent = new Agent({ rejectUnauthorized: false })\n'], 'verification-off head:2'],
  ['a shell', ['app/run.py', 'x = 1\n', 'x = 1\nsubprocess.run(command, shell=True)\n'], 'runs-text head:2'],
  ['SQL from text', ['src/find.ts', 'a\n', `a\nconst rows = await query('select * from orders where id = ' + id)\n`], 'built-sql head:2'],
  ['a workflow with rights', ['.github/workflows/x.yml', 'on: push\n', 'on: pull_request_target\n'], 'workflow-rights head:1'],
  ['an export that is gone', ['src/api.ts', 'export function a() {\n  return 1\n}\nexport function b() {\n  return 2\n}\n', 'export function a() {\n  return 1\n}\n'], 'contract-gone base:4'],
  ['an export that is called otherwise', ['src/api.ts', 'export function a(x) {\n  return 1\n}\n', 'export function a(x, y) {\n  return 1\n}\n'], 'contract head:1'],
  ['a test that is switched off', ['src/a.test.ts', 'it("works", run)\n', 'it.skip("works", run)\n'], 'test-off head:1'],
  ['a test that is gone', ['src/a.test.ts', 'it("works", run)\n', null], 'test-gone base:1'],
  ['what runs on install', ['package.json', '{\n}\n', '{\n  "postinstall": "node x.js"\n}\n'], 'install-script head:2'],
  ['who reviews', ['.github/CODEOWNERS', '* @acme/core\n', '* @mallory\n'], 'owners head:1'],
  ['what steers agents', ['AGENTS.md', null, '# Agents\n'], 'instructions head:1'],
  ['much without a test', ['src/a.ts', null, 'const a = 1\n'.repeat(40)], 'untested head:1'],
])('%s is a place to look at', async (_, file, risk) => {
  expect(await rulesOf(file)).toEqual([risk])
})

test.each<[string, Parameters<typeof toFile>]>([
  ['a check that was only reworded', ['src/orders.ts', 'if (!isAdmin(u)) throw 1\n', 'if (isAdmin(u) === false) throw 1\n']],
  ['a drop-down', ['src/menu.ts', 'const a = 1\n', 'const a = 1\nconst menu = dropDown("columns")\n']],
  ['a document about tokens', ['docs/tokens.md', '# Tokens\n', '# Tokens\n\nUse eval() never.\n']],
  ['a comment in a file about sessions', ['src/session.ts', 'const a = 1\n', '// Sessions last a day.\nconst a = 1\n']],
  ['a private function', ['src/api.ts', 'function a(x) {\n  return 1\n}\n', 'function a(x, y) {\n  return 1\n}\n']],
  ['another value of an exported constant', ['src/api.ts', 'export const a = 1\n', 'export const a = 2\n']],
])('%s is none', async (_, file) => {
  expect(await rulesOf(file)).toEqual([])
})

test('files that are not read are judged by their names', async () => {
  expect(await rulesOf(['.env', null, 'x', { left: 'secret-file', hunks: [] }])).toEqual(['secret-file head:1'])
  expect(await rulesOf(['package-lock.json', 'a', 'b', { left: 'lock-file', hunks: [] }])).toEqual(['lock-alone head:1'])
})

test('a secret comes first, one rule does not fill the list, and the weightier reason leads', async () => {
  const migrations = ['1', '2', '3'].map((name): Parameters<typeof toFile> => [`migrations/${name}.sql`, null, 'create table a (b int);\n'])
  expect(await rulesOf(...migrations, ['src/key.ts', null, 'const a = 1\n', { secrets: [{ kind: 'AWS', line: 1 }] }])).toEqual(['secret head:1', 'migration head:1', 'migration head:1'])
})

test.each([
  ['package.json', '  "koa": "2.1.0",\n  "zod": "^4.0.0",\n  "version": "1.0.0"\n', '  "koa": "3.0.0",\n  "left-pad": "~1.3.0",\n  "version": "1.1.0"\n'],
  ['go.mod', '\texample.org/koa v2.1.0\n\texample.org/zod v4.0.0\n', '\texample.org/koa v3.0.0\n\texample.org/left-pad v1.3.0\n'],
  ['Cargo.toml', 'version = "1.0.0"\nkoa = "2.1.0"\nzod = { version = "4", features = ["a"] }\n', 'version = "1.1.0"\nkoa = "3.0.0"\nleft-pad = "1.3"\n'],
  ['requirements.txt', 'koa==2.1.0\nzod>=4\n', 'koa==3.0.0\nleft-pad==1.3\n'],
])('dependencies of %s are told', async (path, before, after) => {
  const { added, removed, changed } = dependencyChanges(await toFile(path, before, after))
  const bare = (name: string) => name.replace('example.org/', '')
  expect([added, removed, changed].map((list) => list.map(({ name }) => bare(name)))).toEqual([['left-pad'], ['zod'], ['koa']])
  expect(changed[0]!.from).toMatch(/2\.1\.0/)
})
