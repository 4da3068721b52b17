import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSettingsSkip, createSummaryFilter, defaultSettings, longestSettings, readSettings, toSettings } from './settings.ts'

const example = `# How Nura treats this repository
include:
  - src/**
  - docs
ignore: ["**/*.snap.ts", docs/old/]
summarise:
  - src/**
recreate: false
sources:
  - acme/handbook
`

test('a file with every key', () => {
  const { settings, fault } = readSettings(example)
  expect(fault).toBeNull()
  expect(settings).toEqual({ include: ['src/**', 'docs'], ignore: ['**/*.snap.ts', 'docs/old/'], summarise: ['src/**'], recreate: false, sources: ['acme/handbook'] })
  const skip = createSettingsSkip(settings!)
  const verdicts = ['src/a.ts', 'src/a.snap.ts', 'docs/a.md', 'docs/old/a.md', 'README.md'].map(skip)
  expect(verdicts).toEqual([null, 'ignored', null, 'ignored', 'not-included'])
  expect(['src/a.ts', 'docs/a.md'].map(createSummaryFilter(settings!))).toEqual([true, false])
})

test.each(['', '# nothing\n', '---\n', 'ignore:\n', 'include:\n  # - src\n'])('one that says nothing leaves the defaults: %j', (text) => {
  expect(readSettings(text)).toEqual({ settings: defaultSettings, fault: null })
})

test('the defaults leave nothing out and open no other repository', () => {
  expect(defaultSettings).toEqual({ include: null, ignore: [], summarise: true, recreate: true, sources: [] })
  expect(createSettingsSkip(defaultSettings)('any/file')).toBeNull()
  expect(createSummaryFilter({ ...defaultSettings, summarise: false })('any/file')).toBe(false)
})

describe('a fault names its line, its key and what to write', () => {
  test.each([
    ['unknown key', 'recreate: true\ninclde: [src]\n', /line 2, `inclde`: there is no such key; the keys are include, ignore/],
    ['duplicate key', 'ignore: [a]\nignore: [b]\n', /line 2, `ignore`: stands here a second time/],
    ['one glob instead of a list', 'ignore: docs/old\n', /line 1, `ignore`: must be a list of globs, one a line, such as "- docs\/old\/\*\*"/],
    ['a number in a list', 'ignore:\n  - a\n  - 12\n', /line 3, `ignore`: is not text: put it in quotes/],
    ['braces', 'ignore:\n  - "a.{ts,js}"\n', /line 2, `ignore`: has `a\.\{ts,js\}`: braces .* one glob a line/],
    ['a negation', 'ignore: ["!a"]\n', /line 1.*"!" is not read/],
    ['a double star within a name', 'include: ["**.md"]\n', /line 1.*as in "\*\*\/\*\.md"/],
    ['a way out', 'ignore: ["../other"]\n', /line 1.*start at the root/],
    ['a Windows path', "ignore: ['docs\\old']\n", /line 1.*write "\/" between folders/],
    ['nothing to include', 'include: []\n', /line 1, `include`: is empty/],
    ['an empty glob', 'ignore: [""]\n', /line 1, `ignore`: has an empty glob/],
    ['a wrong flag', 'recreate: no thanks\n', /line 1, `recreate`: must be true or false/],
    ['a wrong summarise', 'summarise: sometimes\n', /line 1, `summarise`: must be true, false or a list of globs/],
    ['a repository without owner', 'sources:\n  - shop\n', /line 2, `sources`: must be "owner\/name"/],
    ['a list', '- src\n', /line 1: must be keys with values/],
    ['a glob that YAML takes for an alias', 'ignore:\n  - *.md\n', /line 2/],
    ['an alias', 'ignore: &all [a]\ninclude: *all\n', /line 1: anchors .* in quotes/],
    ['no YAML', 'ignore: [a\nrecreate: true\n', /line \d: is not YAML/],
    ['two documents', 'recreate: true\n---\nrecreate: false\n', /is not YAML/],
    ['a tag', 'recreate: !!js/function "x"\n', /line 1: is not YAML/],
    ['a key for the prototype', '__proto__: {recreate: false}\n', /line 1, `__proto__`: there is no such key/],
    ['a key that is a list', '? [a, b]\n: 1\n', /there is no such key/],
    ['too many globs', `ignore:\n${'  - a\n'.repeat(101)}`, /`ignore`: has more than 100 globs/],
    ['too large', `# ${'x '.repeat(40)}\n`.repeat(1_000), /larger than 64 KB/],
  ])('%s', (_, text, expected) => {
    const { settings, fault } = readSettings(text)
    expect(fault).toMatch(expected)
    expect(fault).toMatch(/^\.nura\.yml is not in force: .* Until that is repaired, what was in force before it stays\.$/s)
    expect(settings).toBeNull()
  })

  test('many faults are counted, and what the file says ends no code span', () => {
    const { fault } = readSettings(Array.from({ length: 30 }, (__, at) => `"\`@all\u0007 <b>${at}": 1`).join('\n'))
    expect(fault).toContain('and 25 more')
    expect(fault!.match(/`/g)!.length).toBe(10)
    expect(fault!.length).toBeLessThan(1_500)
  })
})

const fragment = fc.oneof(
  fc.constantFrom('include:', 'ignore:', 'summarise:', 'recreate:', 'sources:', '\n', '\n  - ', ' ', '[', ']', '{', '}', '&a ', '*a', '!!', '? ', ': ', '- ', '"', "'", '|\n', '>-\n', '#', '%', '---\n', '...\n', '\t', '<<: ', '**/', '\\x', '\u0000', '\ud800', 'true', 'src/**'),
  fc.string({ unit: 'binary', maxLength: 12 }),
)

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 40 }), (fragments) => {
      const { settings, fault } = readSettings(fragments.join(''))
      if (settings !== null) expect(toSettings(JSON.parse(JSON.stringify(settings)))).toEqual(settings)
      if (fault !== null) expect(settings).toBeNull()
      expect(fault ?? '').not.toMatch(/[\0-\x09\x0b-\x1f]/)
    }),
    { numRuns: 2_000 },
  )
})

test('texts that keep a parser busy end at once: each is the longest of its kind', () => {
  const units = ['[', '{', '- ', '? ', ': ', '&a ', '! ', '"', '\n', '[]', '[\n', '{\n', '{a: [', '- *a\n', 'a:\n', 'ignore: [a]\n', '---\n', '%\n', ']', '\t', "''", '"\\u00', '- a\n', '|\n', '<<: *a\n', '  - "**/x"\n']
  for (const unit of units) {
    expect(() => readSettings(unit.repeat(longestSettings / unit.length)), JSON.stringify(unit)).not.toThrow()
  }
  expect(readSettings(Array.from({ length: 340 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')).fault).not.toBeNull()
})

test('what is stored is read back, and what is not understood is the defaults', () => {
  expect(toSettings(null)).toEqual(defaultSettings)
  expect(toSettings({ include: 'everything' })).toEqual(defaultSettings)
  expect(toSettings(readSettings(example).settings).recreate).toBe(false)
})
