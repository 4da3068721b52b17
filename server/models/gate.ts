import { CircuitState, ConsecutiveBreaker, ExponentialBackoff, SamplingBreaker, circuitBreaker, handleWhen, noJitterGenerator } from 'cockatiel'
import type { IBreaker } from 'cockatiel'
import { NuraError } from '#db/nura-error.ts'
import type { Logger } from '../log.ts'

/** One call of a model that was let through; exactly one of these ends it. */
export type Pass = {
  succeed(): void
  fail(error: unknown): void
  /** The caller went away: says nothing about the model. */
  abandon(): void
}

/** Decides for one model of this process whether it is asked at all. */
export type Gate = {
  /** @throws NuraError `model-resting`, at once and with the moment to come again, while asking is in vain */
  enter(): Pass
}

export type GateOptions = {
  log: Pick<Logger, 'warn' | 'info'>
  /** Asks the model for as little as there is; for one that is starting. */
  wake(signal: AbortSignal): Promise<void>
  times?: Partial<typeof gateTimes>
}

/** Milliseconds. */
export const gateTimes = {
  /** A model that fails is tried again after this long, then after twice as long, up to `mostRest`. */
  rest: 10_000,
  mostRest: 60_000,
  /** A model that an operator must put right is tried again after this long. */
  wrong: 60_000,
  /** Between two calls that wake, and how long they go on. */
  wakeEvery: 15_000,
  wakeFor: 15 * 60_000,
  /** A model that says when to come again is believed up to here. */
  longestLimit: 3_600_000,
}

/**
 * A model that is away, limited, starting or wrongly set is not asked by every question anew. It rests after three failures
 * in a row, or when most of five calls in ten seconds failed; until the moment it named; while it is starting, when one call
 * at a time wakes it; and for a minute where its settings are wrong, which is said once.
 */
export function createGate(id: string, { log, wake, times = {} }: GateOptions): Gate {
  const { rest, mostRest, wrong, wakeEvery, wakeFor, longestLimit } = { ...gateTimes, ...times }
  const breaker = circuitBreaker(handleWhen((error) => error instanceof Breaking), {
    halfOpenAfter: new ExponentialBackoff({ initialDelay: rest, maxDelay: mostRest, exponent: 2, generator: noJitterGenerator }),
    breaker: eitherOf(new ConsecutiveBreaker(3), new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 0.5 })),
  })
  breaker.onBreak(() => log.warn({ model: id }, 'a model fails again and again, and rests'))
  breaker.onReset(() => log.info({ model: id }, 'a model that rested answers again'))
  let resting: { until: number; because: NuraError } | null = null
  let isCold = false
  let hasToldWrong = false

  function judge(error: unknown): boolean {
    if (!(error instanceof NuraError)) return true
    if (error.code === 'model-refused') return false
    if (error.code === 'model-cold') {
      beginWaking()
      return false
    }
    if (error.code === 'bad-model' || error.code === 'wrong-dimensions') {
      if (!hasToldWrong) log.warn({ model: id, cause: error.cause instanceof Error ? error.cause.message : null }, `${error.message} Until then other models of the chain answer.`)
      hasToldWrong = true
      resting = { until: Date.now() + wrong, because: error }
      return false
    }
    if (!error.retryAt) return true
    resting = { until: Math.min(error.retryAt.getTime(), Date.now() + longestLimit), because: error }
    return false
  }

  function beginWaking(): void {
    if (isCold) return
    isCold = true
    log.info({ model: id }, 'a model is starting; others answer meanwhile')
    void keepWaking(performance.now() + wakeFor).finally(() => void (isCold = false))
  }

  async function keepWaking(end: number): Promise<void> {
    while (performance.now() < end) {
      await pause(wakeEvery)
      try {
        await wake(AbortSignal.timeout(wakeFor))
        return log.info({ model: id }, 'a model has started')
      } catch (error) {
        // Anything but «still starting» is for the next question to find out.
        if (!(error instanceof NuraError && error.code === 'model-cold')) return
      }
    }
  }

  return {
    enter() {
      if (isCold) throw toResting(`${id} is starting.`, { retryAt: new Date(Date.now() + wakeEvery) })
      if (resting && resting.until > Date.now()) throw toResting(resting.because.message, { retryable: resting.because.retryable, retryAt: new Date(resting.until), cause: resting.because.cause })
      // One call finds out whether it answers again; the others do not wait for it.
      const isProbed = breaker.state === CircuitState.HalfOpen
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      let isIn = false
      if (!isProbed) breaker.execute(() => ((isIn = true), promise)).catch(() => undefined)
      if (!isIn) throw toResting(`${id} failed again and again.`, { retryAt: new Date(Date.now() + rest) })
      const isProbe = breaker.state === CircuitState.HalfOpen
      return {
        succeed() {
          hasToldWrong = false
          resting = null
          resolve()
        },
        fail: (error) => (judge(error) || isProbe ? reject(new Breaking()) : resolve()),
        abandon: () => (isProbe ? reject(new Breaking()) : resolve()),
      }
    },
  }
}

/** A failure that counts against the model. */
class Breaking extends Error {}

function toResting(message: string, { retryable = true, retryAt, cause }: { retryable?: boolean; retryAt: Date; cause?: unknown }): NuraError {
  return new NuraError('model-resting', message, { retryable, retryAt, cause })
}

/** Opens when one of the two does. */
function eitherOf(...breakers: IBreaker[]): IBreaker {
  return {
    get state() {
      return breakers.map((breaker) => breaker.state)
    },
    set state(states: unknown) {
      breakers.forEach((breaker, at) => (breaker.state = (states as unknown[])[at]))
    },
    success: (state) => breakers.forEach((breaker) => breaker.success(state)),
    // Each must hear of every failure.
    failure: (state) => breakers.map((breaker) => breaker.failure(state)).includes(true),
  }
}

/** A timer that keeps no process alive. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref())
}
