import { expect, test } from 'vitest'
import { toFile } from './testing/to-file.ts'

const told = async (...file: Parameters<typeof toFile>) => (await toFile(...file)).symbols.map(({ name, change, startLine }) => `${change} ${name} ${startLine}`)

const cart = `export class Cart {
  add(item: Item): void {
    this.items.push(item)
  }

  remove(item: Item): void {
    this.items.delete(item)
  }
}

function total(items: Item[]): number {
  return items.length
}
`

test('a changed method is told, not its class', async () => {
  expect(await told('src/cart.ts', cart, cart.replace('push(item)', 'push(item, 1)'))).toEqual(['changed Cart.add 2'])
})

test('added, removed and called otherwise', async () => {
  const after = cart.replace(/ {2}remove[^]*?\n {2}\}\n/, '').replace('total(items: Item[])', 'total(items: Item[], tax: number)') + '\nexport function empty(): Cart {\n  return new Cart()\n}\n'
  const { symbols } = await toFile('src/cart.ts', cart, after)
  expect(symbols.map(({ name, change, exported }) => [name, change, exported])).toEqual([
    ['Cart.remove', 'removed', false],
    ['total', 'changed', false],
    ['empty', 'added', true],
  ])
  expect(symbols[1]).toMatchObject({ signature: 'function total(items: Item[], tax: number): number', oldSignature: 'function total(items: Item[]): number' })
})

test('lines that were only taken out of a function change it', async () => {
  expect(await told('src/cart.ts', cart, cart.replace('    this.items.delete(item)\n', ''))).toEqual(['changed Cart.remove 6'])
})

test('what moves without changing is not told', async () => {
  expect(await told('src/cart.ts', cart, `import { Item } from './item.ts'\n\n${cart}`)).toEqual([])
})

test('a new class is told once, a removed one on the lines that it had', async () => {
  expect(await told('src/cart.ts', null, cart)).toEqual(['added Cart 1', 'added total 11'])
  expect(await told('src/cart.ts', cart, null)).toEqual(['removed Cart 1', 'removed total 11'])
})

test('sections of a document', async () => {
  const text = '# Shop\n\n## Install\n\nnpm install\n\n## Pay\n\nAt once.\n'
  expect(await told('README.md', text, text.replace('At once.', 'Later.'))).toEqual(['changed Pay 7'])
})

test.each([
  ['a.py', 'def pay(order):\n    return 1\n\ndef _check(order):\n    return 2\n', ['pay']],
  ['a.go', 'package a\n\nfunc Pay(o Order) int {\n\treturn 1\n}\n\nfunc check(o Order) int {\n\treturn 2\n}\n', ['Pay']],
  ['a.rs', 'pub fn pay(o: Order) -> u8 {\n    1\n}\n\nfn check(o: Order) -> u8 {\n    2\n}\n', ['pay']],
  ['A.java', 'class A {\n  public int pay() {\n    return 1;\n  }\n  private int check() {\n    return 2;\n  }\n}\n', ['A.pay']],
])('what others may call, in %s', async (path, text, names) => {
  const { symbols } = await toFile(path, text, text.replace('1', '3').replace('2', '4'))
  expect(symbols.filter(({ exported }) => exported).map(({ name }) => name)).toEqual(names)
  expect(symbols).toHaveLength(2)
})

test('contents that are too long to be parsed tell nothing', async () => {
  expect(await told('src/a.ts', 'const a = 1\n', `const a = 2\n${`// ${'x'.repeat(1_000)}\n`.repeat(800)}`)).toEqual([])
})
