import { describe, expect, test } from 'vitest'
import { chunkFile } from './chunk.ts'

type Expected = { path: string; source: string; symbols: string[]; edges: string[] }

/** `kind container.name lines | signature | doc` */
async function symbolsOf(path: string, source: string): Promise<string[]> {
  const { symbols } = await chunkFile(path, source)
  return symbols.map(({ kind, container, name, startLine, endLine, signature, doc }) => `${kind} ${container ? `${container}.` : ''}${name} ${startLine}-${endLine} | ${signature} | ${doc ?? ''}`)
}

async function edgesOf(path: string, source: string): Promise<string[]> {
  const { edges } = await chunkFile(path, source)
  return edges.map(({ kind, fromSymbol, target, line }) => `${kind} ${fromSymbol ?? '·'} → ${target} ${line}`)
}

const cases: Expected[] = [
  {
    path: 'src/shop/cart.ts',
    source: `import tax, { type Rate, applyTax } from '../tax/index.ts'
import { log } from '#server/log.ts'
import pino from 'pino'

/**
 * A shopping cart, see {@link Till}.
 * @example new Cart()
 */
@sealed
export class Cart<T extends Item> extends Base implements Priced {
  /** Sum of all items. */
  async total(
    items: T[], // what was chosen
    rate: Rate,
  ): Promise<Money> {
    return applyTax(this.roundUp(items), rate)
  }
  reset = () => { this.clearAll() }
}

// eslint-disable-next-line
export const limit = 10
// Empties the cart.
// For good.
export const empty = async (cart: Cart<Item>) => router.use(cart, handler)
export interface Priced { total(): Money }
export type Rates = Record<string, Rate>
export enum State { Open, Paid }
const { a } = require('./lazy')
`,
    symbols: [
      'class Cart 10-19 | export class Cart<T extends Item> extends Base implements Priced | A shopping cart, see Till.',
      'method Cart.total 12-17 | async total(items: T[], rate: Rate): Promise<Money> | Sum of all items.',
      'method Cart.reset 18-18 | reset = () | ',
      'constant limit 22-22 | export const limit = 10 | ',
      'function empty 25-25 | export const empty = async (cart: Cart<Item>) | Empties the cart. For good.',
      'interface Priced 26-26 | export interface Priced | ',
      'method Priced.total 26-26 | total(): Money | ',
      'type Rates 27-27 | export type Rates = Record<string, Rate> | ',
      'enum State 28-28 | export enum State | ',
    ],
    edges: ['import · → src/tax 1', 'import · → server/log 2', 'import · → pino 3', 'import · → src/shop/lazy 29', 'call total → applyTax 16', 'call total → roundUp 16', 'call empty → use 25', 'reference empty → handler 25', 'reference Cart → Base 10'],
  },
  {
    path: 'src/flask/cart.py',
    source: `from __future__ import annotations
from .app import Flask, helpers
from . import cli
import flask.json as json

#: Most items of a cart.
LIMIT = 10

class Cart(Base):
    """A shopping cart.

    :param items: what it holds
    """

    @app.route(
        "/total",
    )
    def total(self, items: list[Item]) -> Money:  # noqa
        """Sum of all :class:\`Item\` prices."""
        return apply_tax(items, key=round_up)

# Empties it.
async def empty(cart): ...
`,
    symbols: [
      'constant LIMIT 7-7 | LIMIT = 10 | Most items of a cart.',
      'class Cart 9-20 | class Cart(Base) | A shopping cart.',
      'method Cart.total 18-20 | def total(self, items: list[Item]) -> Money | Sum of all `Item` prices.',
      'function empty 23-23 | async def empty(cart) | Empties it.',
    ],
    edges: ['import · → src/flask/app 2', 'import · → src/flask/app/helpers 2', 'import · → src/flask/cli 3', 'import · → flask/json 4', 'reference Cart → Base 9', 'call total → apply_tax 20', 'reference total → round_up 20', 'reference · → Flask 2'],
  },
  {
    path: 'binding/cart.go',
    source: `package shop

import (
	"github.com/acme/shop/v2/pricing"
	"net/http"
)

const (
	// MaxItems is the most a cart holds.
	MaxItems = 10
)

// Cart is a shopping cart.
type Cart[T any] struct {
	items []Item
}

// Total sums all items.
//
//nolint:all
func (c *Cart[T]) Total(items ...Item) (Money, error) {
	return pricing.ApplyTax(c.items), nil
}

type Priced interface {
	Price() Money
}
type Handler func(http.ResponseWriter)
`,
    symbols: [
      'constant MaxItems 10-10 | MaxItems = 10 | MaxItems is the most a cart holds.',
      'class Cart 14-16 | type Cart[T any] struct | Cart is a shopping cart.',
      'method Cart.Total 21-23 | func (c *Cart[T]) Total(items ...Item) (Money, error) | Total sums all items.',
      'interface Priced 25-27 | type Priced interface | ',
      'method Priced.Price 26-26 | Price() Money | ',
      'type Handler 28-28 | type Handler func(http.ResponseWriter) | ',
    ],
    edges: ['import · → pricing 4', 'import · → net/http 5', 'call Total → ApplyTax 22', 'reference Handler → ResponseWriter 28'],
  },
  {
    path: 'core/src/test/java/com/shop/CartTest.java',
    source: `package com.shop;
import static com.shop.Money.zero;
/** A cart. */
@Entity
public class CartTest extends Base {
  public static final int LIMIT = 10;
  // Sums.
  @Override
  public Money total(List<Item> items) throws EmptyException {
    return new Tax().applyTo(zero());
  }
}
`,
    symbols: [
      'class CartTest 5-12 | public class CartTest extends Base | A cart.',
      'constant CartTest.LIMIT 6-6 | public static final int LIMIT = 10 | ',
      'method CartTest.total 9-11 | public Money total(List<Item> items) throws EmptyException | Sums.',
    ],
    edges: ['test · → core/src/main/java/com/shop/Cart 1', 'import · → core/src/main/java/com/shop/Money 2', 'call total → Tax 10', 'call total → applyTo 10', 'call total → zero 10', 'reference CartTest → Base 5'],
  },
  {
    path: 'src/cart.rs',
    source: `use crate::pricing::Tax;
mod till;

/// A shopping cart.
#[derive(Debug)]
pub struct Cart<T> { items: Vec<T> }

impl<T: Priced> Cart<T> {
    /// Sum of all items.
    pub fn total(&self) -> Money { apply_tax(self.items.len()) }
}
pub trait Priced { fn price(&self) -> Money; }
`,
    symbols: [
      'class Cart 6-6 | pub struct Cart<T> | A shopping cart.',
      'method Cart.total 10-10 | pub fn total(&self) -> Money | Sum of all items.',
      'interface Priced 12-12 | pub trait Priced | ',
      'method Priced.price 12-12 | fn price(&self) -> Money | ',
    ],
    edges: ['import · → src/pricing 1', 'import · → src/cart/till 2', 'call total → apply_tax 10'],
  },
  {
    path: 'lib/shop/cart.rb',
    source: `require_relative '../pricing/tax'
require 'shop/money'

module Shop
  # A shopping cart.
  class Cart < Base
    LIMIT = 10
    # Sum of all items.
    def total(items, with: nil)
      Tax.new.apply_to(items)
    end
  end
end
`,
    symbols: ['module Shop 4-13 | module Shop | ', 'class Shop.Cart 6-12 | class Cart < Base | A shopping cart.', 'constant Cart.LIMIT 7-7 | LIMIT = 10 | ', 'method Cart.total 9-11 | def total(items, with: nil) | Sum of all items.'],
    edges: ['import · → lib/pricing/tax 1', 'import · → shop/money 2', 'reference Cart → Base 6', 'reference total → Tax 10', 'call total → apply_to 10'],
  },
  {
    path: 'src/Cart.php',
    source: `<?php
use Shop\\Pricing\\Tax;
/** A cart. */
final class Cart extends Base implements Priced
{
    /** Sum of all items. */
    public function total(array $items): Money
    {
        return (new Tax())->applyTo($items);
    }
}
function zero(): Money { return Money::none(); }
`,
    symbols: ['class Cart 4-11 | final class Cart extends Base implements Priced | A cart.', 'method Cart.total 7-10 | public function total(array $items): Money | Sum of all items.', 'function zero 12-12 | function zero(): Money | '],
    edges: ['import · → Pricing/Tax 2', 'reference Cart → Base 4', 'call total → Tax 9', 'call total → applyTo 9', 'call zero → none 12'],
  },
  {
    path: 'Shop/Cart.cs',
    source: `using Shop.Pricing;
namespace Shop
{
    /// <summary>A cart, see <see cref="Till"/>.</summary>
    [Serializable]
    public class Cart : Base
    {
        public Money Total(IList<Item> items)
        {
            return new Tax().Apply(Zero());
        }
    }
}
`,
    symbols: ['class Cart 6-12 | public class Cart : Base | A cart, see Till.', 'method Cart.Total 8-11 | public Money Total(IList<Item> items) | '],
    edges: ['import · → Shop/Pricing 1', 'reference Cart → Base 6', 'call Total → Tax 10', 'call Total → Apply 10', 'call Total → Zero 10'],
  },
  {
    path: 'src/cart.cpp',
    source: `#include "cart.h"
#include <shop/tax.hpp>
namespace shop {
/// A shopping cart.
class Cart : public Base {
  Money total(const Items& items) const;
};
/** Sum of all items. */
static Money
Cart::total(const Items& items) const {
  return apply_tax(items.size());
}
enum class State { Open };
}
`,
    symbols: [
      'module shop 3-14 | namespace shop | ',
      'class shop.Cart 5-7 | class Cart : public Base | A shopping cart.',
      'method Cart.total 6-6 | Money total(const Items& items) const | ',
      'method Cart.total 10-12 | static Money Cart::total(const Items& items) const | Sum of all items.',
      'enum shop.State 13-13 | enum class State | ',
    ],
    edges: ['import · → src/cart 1', 'import · → shop/tax 2', 'reference Cart → Base 5', 'call total → apply_tax 11'],
  },
  {
    path: 'scripts/cart.sh',
    source: `#!/bin/bash
source ./lib.sh
# Sums a cart.
total() {
  apply_tax "$1"
}
`,
    symbols: ['function total 4-6 | total() | Sums a cart.'],
    edges: ['import · → scripts/lib 2', 'call total → apply_tax 5'],
  },
  {
    path: 'docs/guide.md',
    source: `# Shop

The [shop](../src/shop.ts) sells. It is \`Open\` all day.

Install
-------

Run \`app.total()\` first.

\`\`\`
# not a heading, not a \`Reference\`
\`\`\`
`,
    symbols: ['heading Shop 1-12 | Shop | The shop sells.', 'heading Shop.Install 5-12 | Install | Run `app.total()` first.'],
    edges: ['reference Shop → Open 3', 'reference Shop → src/shop 3', 'reference Install → total 8'],
  },
  {
    path: 'docs/guide.rst',
    source: `.. _top:

====
Shop
====

Sells with :class:\`~shop.Cart\` and \`\`total()\`\`.

Install
-------

First.

Later
-----
`,
    symbols: ['heading Shop 3-15 | Shop | Sells with `shop.Cart` and `total()`.', 'heading Shop.Install 9-13 | Install | First.', 'heading Shop.Later 14-15 | Later | '],
    edges: ['reference Shop → Cart 7', 'reference Shop → total 7'],
  },
]

describe.each(cases)('$path', ({ path, source, symbols, edges }) => {
  test('what it defines', async () => {
    expect(await symbolsOf(path, source)).toEqual(symbols)
  })

  test('what it names', async () => {
    expect(await edgesOf(path, source)).toEqual(expect.arrayContaining(edges))
  })
})

describe('edges', () => {
  test('are told once from each symbol, with the first line', async () => {
    const edges = await edgesOf('a.ts', 'function one() {\n  work()\n  work()\n}\nfunction two() { work() }\n')
    expect(edges).toEqual(['call one → work 2', 'call two → work 5'])
  })

  test('do not lead to words that every program uses, nor to short ones', async () => {
    expect(await edgesOf('a.ts', 'function one() { list.map(go).filter(Boolean); console.log(1); it("a", () => expect(1).toBe(1)) }\n')).toEqual([])
  })

  test.each([
    ['src/cart.test.ts', ['src/cart']],
    ['src/cart.spec.tsx', ['src/cart']],
    ['pkg/cart_test.go', ['pkg/cart']],
    ['test/unit/cart.test.ts', ['test/unit/cart', 'unit/cart']],
    ['tests/test_cart.py', ['cart']],
    ['packages/a/test/cart.test.ts', ['packages/a/cart', 'packages/a/src/cart']],
    ['src/__tests__/cart.js', ['src/cart']],
    ['spec/shop/cart_spec.rb', ['shop/cart']],
    ['src/test/java/CartTest.java', ['src/main/java/Cart']],
    ['src/cart.ts', []],
    ['src/latest.ts', []],
  ])('%s tests %j', async (path, subjects) => {
    const targets = (await chunkFile(path, '')).edges.filter(({ kind }) => kind === 'test').map(({ target }) => target)
    expect(targets).toEqual(subjects.length === 0 ? [] : expect.arrayContaining(subjects))
  })
})
