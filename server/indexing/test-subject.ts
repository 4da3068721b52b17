import { stemOf } from './languages/language.ts'

const testFolder = /^(tests?|__tests?__|specs?|testing|e2e)$/

/**
 * Stems that a test file may be about, most likely first: beside it, and where its test folder stands. Whoever resolves the
 * edge tries the usual source folders too, and drops what does not exist.
 *
 * `test/server/cart.test.ts` → `test/server/cart`, `server/cart`
 */
export function testSubjects(path: string): string[] {
  const folders = path.split('/').slice(0, -1)
  const inTests = folders.findIndex((folder) => testFolder.test(folder))
  const name = subjectName(path) ?? (inTests === -1 ? null : bareName(path))
  if (name === null) return []
  const at = (parts: string[]) => [...parts, name].join('/')
  if (inTests === -1) return [at(folders)]

  const [before, after] = [folders.slice(0, inTests), folders.slice(inTests + 1)]
  // Maven and Gradle: src/test/java/… tests src/main/java/….
  if (before.at(-1) === 'src') return [at([...before, 'main', ...after]), at([...before, ...after])]
  const beside = subjectName(path) === null ? [] : [at(folders)]
  const inSource = before.length > 0 ? [at([...before, 'src', ...after])] : []
  return [...beside, at([...before, ...after]), ...inSource]
}

/** `cart.test`, `cart.spec`, `cart-test`, `cart_spec`, `test_cart`, `CartTest`, `CartTests`, `CartSpec` → `cart`, `Cart`; null for a name that is none of these. */
function subjectName(path: string): string | null {
  const name = bareName(path)
  const [, subject] =
    /^(.+?)(?:[._-](?:test|tests|spec|specs|e2e|bench))+$/i.exec(name) ?? /^tests?[_-](.+)$/i.exec(name) ?? /^(.*[a-z0-9])(?:Tests?|Spec|IT)$/.exec(name) ?? []
  return subject ?? null
}

function bareName(path: string): string {
  const stem = stemOf(path)
  return stem.slice(stem.lastIndexOf('/') + 1)
}
