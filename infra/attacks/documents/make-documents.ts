import { carriers } from './carriers.ts'
import type { Carried } from './carriers.ts'
import { encodings } from './encodings.ts'
import { orders } from './orders.ts'

/** One hostile text. `isSeen`: whether a person who looks at it sees the order. */
export type HostileDocument = { name: string; nonce: string; carrier: string; order: string; encoding: string; isSeen: boolean; carried: Carried }

const syllables = ['ba', 'du', 'fe', 'gi', 'ko', 'lu', 'me', 'no', 'pa', 'ri']

/** Every carrier with every order, each pair in an encoding that the carrier and the order do not meet again soon. */
export function makeDocuments(listener: string): HostileDocument[] {
  return carriers.flatMap((carrier, row) =>
    orders.map((order, column) => {
      const index = row * orders.length + column
      const encoding = encodings[(row + column) % encodings.length]!
      const name = `zu${[100, 10, 1].map((digit) => syllables[Math.floor(index / digit) % 10]).join('')}`
      const nonce = `kq${String(index).padStart(4, '0')}jx`
      const written = encoding.encode(order.text({ nonce, listener }))
      return { name, nonce, carrier: carrier.name, order: order.name, encoding: encoding.name, isSeen: carrier.isSeen && encoding.isSeen, carried: carrier.carry(name, written) }
    }),
  )
}
