/** Runs tasks one after another, in the order they came. */
export type Lane = <Result>(task: () => Promise<Result>, signal?: AbortSignal) => Promise<Result>

/** A task whose signal aborts before its turn is never run, and its caller does not wait for those before it. */
export function createLane(): Lane {
  let last: Promise<unknown> = Promise.resolve()
  return (task, signal) => {
    const turn = last.then(() => {
      signal?.throwIfAborted()
      return task()
    })
    last = turn.catch(() => undefined)
    return signal ? orAborted(turn, signal) : turn
  }
}

function orAborted<Result>(turn: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason as Error)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    turn.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
