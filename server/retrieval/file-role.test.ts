import { expect, test } from 'vitest'
import { fileRole } from './file-role.ts'

test.each([
  ['src/server/app.ts', 'source'],
  ['context.go', 'source'],
  ['src/flask/testing.py', 'source'],
  ['src/latest.ts', 'source'],
  ['src/contest/index.ts', 'source'],
  ['lib/releases.go', 'source'],
  ['src/history.ts', 'source'],
  ['context_test.go', 'test'],
  ['tests/test_app.py', 'test'],
  ['test/unit/app.test.ts', 'test'],
  ['src/__tests__/app.ts', 'test'],
  ['src/AppTest.java', 'test'],
  ['conftest.py', 'test'],
  ['benchmarks_test.go', 'test'],
  ['docs/config.rst', 'docs'],
  ['README.md', 'docs'],
  ['docs/conf.py', 'docs'],
  ['docs/tutorial/views.rst', 'docs'],
  ['.github/CONTRIBUTING.md', 'docs'],
  ['examples/tutorial/flaskr/db.py', 'example'],
  ['examples/react/README.md', 'example'],
  ['CHANGES.rst', 'history'],
  ['CHANGELOG.md', 'history'],
  ['docs/changes/1.0.md', 'docs'],
  ['package-lock.json', 'generated'],
  ['dist/index.js', 'generated'],
  ['api/user.pb.go', 'generated'],
  ['pyproject.toml', 'config'],
  ['.github/workflows/test.yml', 'config'],
  ['vitest.config.ts', 'config'],
  ['data/words.csv', 'data'],
])('%s is %s', (path, role) => {
  expect(fileRole(path)).toBe(role)
})
