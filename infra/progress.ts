import cliProgress from 'cli-progress'

/** How far an index run is; `path` is the file last written. */
export type Progress = { phase: string; done: number; total: number; path?: string | undefined }

/**
 * Shows progress to a person: a bar with counts and rate on a terminal, else a plain line every tenth of the way.
 * @returns `show` for each event and `finish` for the end, after which the cursor stands on a fresh line.
 */
export function createProgress(title: string, out: NodeJS.WriteStream): { show: (progress: Progress) => void; finish: () => void } {
  return out.isTTY ? createBar(title, out) : createLines(title, out)
}

function createBar(title: string, out: NodeJS.WriteStream): ReturnType<typeof createProgress> {
  const started = performance.now()
  const bar = new cliProgress.SingleBar(
    { format: `${title} [{bar}] {value}/{total} {unit} · {rate}/s`, stream: out, hideCursor: true, etaBuffer: 50 },
    cliProgress.Presets.shades_classic,
  )
  let running = false
  return {
    show({ phase, done, total }) {
      if (total === 0) return
      if (!running) bar.start(total, 0, { unit: phase, rate: 0 })
      running = true
      bar.setTotal(total)
      bar.update(done, { unit: phase, rate: rate(done, started) })
    },
    finish: () => bar.stop(),
  }
}

function createLines(title: string, out: NodeJS.WriteStream): ReturnType<typeof createProgress> {
  const started = performance.now()
  let tenth = -1
  return {
    show({ phase, done, total }) {
      const reached = total === 0 ? 10 : Math.floor((10 * done) / total)
      if (reached === tenth) return
      tenth = reached
      out.write(`${title}: ${done}/${total} ${phase}, ${rate(done, started)}/s\n`)
    },
    finish: () => undefined,
  }
}

function rate(done: number, started: number): number {
  return Math.round(done / Math.max(0.001, (performance.now() - started) / 1000))
}
