import { Socket } from 'node:net'

/** How often this process writes to any socket while `work` runs: how many pieces leave, whatever stands in them. */
export async function countWrites(work: () => Promise<unknown>): Promise<number> {
  const { _write, _writev } = Socket.prototype
  let writes = 0
  Object.assign(Socket.prototype, {
    _write(this: Socket, ...args: Parameters<typeof _write>) {
      writes++
      _write.apply(this, args)
    },
    _writev(this: Socket, ...args: Parameters<NonNullable<typeof _writev>>) {
      writes++
      _writev!.apply(this, args)
    },
  })
  try {
    await work()
    return writes
  } finally {
    Object.assign(Socket.prototype, { _write, _writev })
  }
}
