/** A small shop. */
export const shop = {
  'package.json': '{\n  "name": "shop",\n  "dependencies": {\n    "koa": "2.15.3",\n    "zod": "4.1.0"\n  }\n}\n',
  'package-lock.json': '{}\n',
  'README.md': '# Shop\n\n## Install\n\nnpm install\n\n## Payments\n\nOrders are charged at once.\n',
  'server/payments/charge.ts': `import { provider } from './provider.ts'

/** Charges an order. */
export async function charge(order: Order): Promise<Receipt> {
  return provider.charge(order.id, order.total)
}

export function chargeOnce(order: Order): Promise<Receipt> {
  return charge(order)
}
`,
  'server/payments/charge.test.ts': `import { charge } from './charge.ts'\ntest('charges', async () => {\n  expect(await charge(order)).toEqual(receipt)\n})\n`,
  'server/auth/session.ts': `export function readSession(token: string): Session | null {\n  if (!verifyToken(token)) return null\n  return decode(token)\n}\n`,
  'db/migrations/001-orders.sql': 'create table orders (id uuid primary key, note text);\n',
  '.github/workflows/test.yml': 'on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n',
}

/** A pull request on it that has something of everything. */
export const change = {
  'package.json': '{\n  "name": "shop",\n  "dependencies": {\n    "koa": "3.0.1",\n    "p-retry": "6.2.0",\n    "zod": "4.1.0"\n  }\n}\n',
  'package-lock.json': '{ "lockfileVersion": 3 }\n',
  'README.md': '# Shop\n\n## Install\n\nnpm install\n\n## Payments\n\nOrders are charged, and again if the provider is busy.\n',
  'server/payments/charge.ts': `import pRetry from 'p-retry'
import { provider } from './provider.ts'
import { retryDelay } from './retry.ts'

/** Charges an order. */
export async function charge(order: Order, options: { attempts: number }): Promise<Receipt> {
  return pRetry(() => provider.charge(order.id, order.total), { retries: options.attempts, minTimeout: retryDelay(1) })
}
`,
  'server/payments/retry.ts': '/** Milliseconds before an attempt. */\nexport function retryDelay(attempt: number): number {\n  return 200 * 2 ** attempt\n}\n',
  'server/payments/charge.test.ts': `import { charge } from './charge.ts'\ntest('charges', async () => {\n  expect(await charge(order, { attempts: 1 })).toEqual(receipt)\n})\n`,
  'server/auth/session.ts': `export function readSession(token: string): Session | null {\n  return decode(token)\n}\n`,
  'db/migrations/002-orders.sql': 'alter table orders add column attempts int not null default 0;\nalter table orders drop column note;\n',
}
