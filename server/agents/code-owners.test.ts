import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findOwners, parseCodeOwners, toAccounts } from './code-owners.ts'

const ownersOf = (text: string, path: string) => findOwners(parseCodeOwners(text), path)?.owners ?? []

/** The example file of GitHub's documentation, line by line, and what it says each line means. */
const documented = `# This is a comment.
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
`

describe("GitHub's documented examples", () => {
  test.each([
    ['README', ['@global-owner1', '@global-owner2']],
    ['src/deep/file.rb', ['@global-owner1', '@global-owner2']],
    ['a.js', ['@js-owner']],
    ['src/deep/a.js', ['@js-owner']],
    ['cmd/main.go', ['docs@example.com']],
    ['notes.txt', ['@octo-org/octocats']],
    ['build/logs/today', ['@octocat']],
    ['other/build/logs/today', ['@octocat']],
    ['apps/a.rb', ['@octocat']],
    ['deep/apps/github/a.rb', ['@octocat']],
    ['docs/getting-started.md', ['@doctocat']],
    ['docs/build-app/troubleshooting.md', ['@doctocat']],
    ['scripts/deploy.sh', ['@doctocat', '@octocat']],
    ['deeply/nested/logs/x', ['@octocat']],
  ])('%s', (path, owners) => {
    expect(ownersOf(documented, path)).toEqual(owners)
  })

  test('`docs/*` names the files of that folder alone', () => {
    const rules = 'docs/* docs@example.com'
    expect(ownersOf(rules, 'docs/getting-started.md')).toEqual(['docs@example.com'])
    expect(ownersOf(rules, 'docs/build-app/troubleshooting.md')).toEqual([])
    expect(ownersOf(rules, 'other/docs/a.md')).toEqual([])
  })

  test('`/build/logs/` stands at the root, `apps/` anywhere', () => {
    expect(ownersOf('/build/logs/ @doctocat', 'build/logs/deep/a')).toEqual(['@doctocat'])
    expect(ownersOf('/build/logs/ @doctocat', 'x/build/logs/a')).toEqual([])
    expect(ownersOf('apps/ @octocat', 'x/apps/a')).toEqual(['@octocat'])
    expect(ownersOf('apps/ @octocat', 'apps')).toEqual(['@octocat'])
  })

  test('the last rule that names a path wins, also where it names nobody', () => {
    expect(ownersOf('/apps/ @octocat\n/apps/github\n', 'apps/github/a.rb')).toEqual([])
    expect(ownersOf('/apps/ @octocat\n/apps/github\n', 'apps/other/a.rb')).toEqual(['@octocat'])
    expect(ownersOf('/apps/ @octocat\n/apps/github @doctocat\n', 'apps/github/a.rb')).toEqual(['@doctocat'])
  })
})

describe('lines that GitHub skips', () => {
  test.each(['!docs/ @ann', 'docs/[a-z]/ @ann', '\\#docs/ @ann', '* ann', '* @ann/', '* @', '* @ann @ben,', '* <@ann>', '# * @ann', '*.md @-ann'])('%s', (line) => {
    expect(ownersOf(`* @before\n${line}\n`, 'docs/a.md')).toEqual(['@before'])
  })
})

test('spaces in names, ends of lines of Windows, and cases that count', () => {
  expect(ownersOf('docs/our\\ guide/ @ann\r\n*.md @ben\r\n', 'docs/our guide/a.txt')).toEqual(['@ann'])
  expect(ownersOf('/Docs/ @ann', 'docs/a')).toEqual([])
})

test('only accounts are ever shown, never addresses', () => {
  expect(toAccounts(['@ann', 'ann@example.com', '@acme/pay-team', '@acme/a/b', 'ann'])).toEqual(['@ann', '@acme/pay-team'])
})

test('no text makes it throw, and every owner is an account or an address', () => {
  const text = fc.string({ unit: fc.constantFrom('*', '/', '@', 'a', '-', '.', ' ', '\t', '\n', '\\', '#', '[', '!', '?', 'ü', '\0'), maxLength: 200 })
  fc.assert(
    fc.property(text, fc.string({ unit: fc.constantFrom('a', '/', '.', '-'), minLength: 1, maxLength: 30 }), (file, path) => {
      for (const owner of ownersOf(file, path)) expect(owner).toMatch(/^@[^@\s]+$|^[^@\s]+@[^@\s]+$/)
    }),
  )
})
