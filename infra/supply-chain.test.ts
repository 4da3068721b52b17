import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

type Manifest = { dependencies: Record<string, string>; devDependencies: Record<string, string>; overrides: Record<string, string>; allowScripts: Record<string, boolean> }
type Locked = { version?: string; integrity?: string; resolved?: string; hasInstallScript?: boolean; link?: boolean } & Partial<Manifest>

const read = (path: string) => readFileSync(join(import.meta.dirname, '..', path), 'utf8')
const manifest = JSON.parse(read('package.json')) as Manifest
const { '': root, ...locked } = (JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> }).packages
const listed = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.overrides })

/** What a lock file would let in that nobody looked at. */
function faultsOf(packages: Record<string, Locked>, allowed: Record<string, boolean>): string[] {
  return Object.entries(packages).flatMap(([path, { version, integrity, resolved, hasInstallScript, link }]) => {
    const name = path.split('node_modules/').at(-1)!
    return [
      ...(version && /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version) && !link ? [] : [`${path} is not of one version`]),
      ...(integrity?.startsWith('sha512-') ? [] : [`${path} has no sha512`]),
      ...(resolved === undefined || /^https:\/\/[^/]+\/.*\.tgz$/.test(resolved) ? [] : [`${path} comes from elsewhere`]),
      ...(hasInstallScript && allowed[name] === undefined ? [`${path} runs a script at installation that allowScripts does not name`] : []),
    ]
  })
}

test('T39: every version is exact, and the lock file is in step with package.json', () => {
  expect(listed.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  expect({ ...root?.dependencies, ...root?.devDependencies }).toEqual({ ...manifest.dependencies, ...manifest.devDependencies })
  expect(listed.filter(([name, version]) => locked[`node_modules/${name}`]?.version !== version)).toEqual([])
})

test('T39: each package is known by its hash, comes from the registry, and runs no script that is not listed', () => {
  expect(faultsOf(locked, manifest.allowScripts)).toEqual([])
  // A name that nothing needs any more would be a permission lying about.
  const withScripts = Object.entries(locked).filter(([, { hasInstallScript }]) => hasInstallScript)
  expect(Object.keys(manifest.allowScripts).toSorted()).toEqual(withScripts.map(([path]) => path.split('node_modules/').at(-1)).toSorted())
  expect(read('.npmrc').split('\n')).toEqual(expect.arrayContaining(['allow-git=none', 'allow-remote=none', 'strict-allow-scripts=true']))
})

test('T39: what would be let in is seen', () => {
  const good = { version: '1.0.0', integrity: 'sha512-x' }
  expect(faultsOf({ 'node_modules/a': { ...good, hasInstallScript: true } }, {})).toHaveLength(1)
  expect(faultsOf({ 'node_modules/a': { ...good, integrity: 'sha1-x' } }, {})).toHaveLength(1)
  expect(faultsOf({ 'node_modules/a': { ...good, resolved: 'git+ssh://host/a.git#main' } }, {})).toHaveLength(1)
  expect(faultsOf({ 'node_modules/a': { ...good, version: 'github:a/a' } }, {})).toHaveLength(1)
  expect(faultsOf({ 'node_modules/a/node_modules/b': { ...good, hasInstallScript: true } }, { b: true })).toEqual([])
})
