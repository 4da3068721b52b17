import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/**
 * `pass`; `frozen`: accepts and never passes a byte on, as a stopped process does; `dead`: resets what is open and refuses;
 * `half-closed`: ends what the server sends and goes on taking what it is sent. `delayMs`: each piece comes that much later.
 * `truncateAt`: ends a connection after that many bytes of answer; `corruptEvery`: turns over every so-many-th byte of the answer.
 */
export type ProxyMode = 'pass' | 'frozen' | 'dead' | 'half-closed' | { delayMs: number } | { truncateAt: number } | { corruptEvery: number }
export type Target = { host: string; port: number }
export type TcpProxy = {
  port: number
  set(mode: ProxyMode): void
  /** New connections lead there from now on; those that are open are reset. */
  moveTo(target: Target): void
  /** Connections accepted so far: whether anybody called. */
  readonly accepted: number
  close(): Promise<void>
}

type Link = { near: Socket; far: Socket; answered: number }

/** A server's address with fault switches. */
export async function openTcpProxy(first: Target): Promise<TcpProxy> {
  let [target, mode, accepted]: [Target, ProxyMode, number] = [first, 'pass', 0]
  const links = new Set<Link>()
  const server = createServer({ allowHalfOpen: true }, (near) => {
    accepted++
    if (mode === 'dead') return void near.resetAndDestroy()
    const link: Link = { near, far: connect({ ...target, allowHalfOpen: true }), answered: 0 }
    links.add(link)
    carry(link, near, link.far, (bytes) => bytes)
    carry(link, link.far, near, (bytes) => toAnswer(link, bytes, mode))
    if (mode === 'half-closed') near.end()
  })

  function carry(link: Link, from: Socket, to: Socket, change: (bytes: Buffer) => Buffer): void {
    /** What is on its way: nothing overtakes another, also when the delay is over. */
    const onItsWay: { at: number; arrive(): void }[] = []
    const send = (arrive: () => void) => {
      const delayMs = typeof mode === 'object' && 'delayMs' in mode ? mode.delayMs : 0
      if (delayMs === 0 && onItsWay.length === 0) return arrive()
      if (onItsWay.push({ at: performance.now() + delayMs, arrive }) === 1) wait()
    }
    const wait = () => {
      setTimeout(() => {
        onItsWay.shift()!.arrive()
        if (onItsWay.length > 0) wait()
      }, Math.max(0, onItsWay[0]!.at - performance.now()))
    }
    from.on('error', () => to.destroy())
    from.on('close', () => {
      links.delete(link)
      to.destroy()
    })
    from.on('end', () => mode !== 'frozen' && send(() => to.end()))
    from.on('data', (bytes: Buffer) => {
      if (mode === 'frozen') return
      const changed = change(bytes)
      send(() => void (to.writable && to.write(changed)))
    })
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted
    },
    set(next) {
      // What a frozen server swallowed is gone from this connection, so thawing needs new ones.
      if (next === 'dead' || mode === 'frozen') links.forEach(cut)
      if (next === 'half-closed') links.forEach(({ near }) => near.end())
      mode = next
    },
    moveTo(next) {
      target = next
      links.forEach(cut)
    },
    async close() {
      links.forEach(cut)
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function cut({ near, far }: Link): void {
  // libuv resets no connection that is being shut down, and Node would wait for it at its end, busily and for ever.
  if (near.writableEnded) near.destroy()
  else near.resetAndDestroy()
  far.destroy()
}

/** A piece of an answer as the mode lets it through. */
function toAnswer(link: Link, bytes: Buffer, mode: ProxyMode): Buffer {
  const from = link.answered
  link.answered += bytes.length
  if (typeof mode === 'string' || 'delayMs' in mode) return bytes
  if ('corruptEvery' in mode) return Buffer.from(bytes.map((byte, at) => ((from + at + 1) % mode.corruptEvery === 0 ? byte ^ 0xff : byte)))
  if (link.answered >= mode.truncateAt) setImmediate(() => end(link))
  return bytes.subarray(0, Math.max(0, mode.truncateAt - from))
}

function end({ near, far }: Link): void {
  near.end()
  far.destroy()
}
