/** One line of an attack's account. `bound` is what the figure is held to, and `holds` whether it does. */
export type Figure = { measure: string; value: string; bound: string; holds: boolean }

export type AttackOptions = {
  /** Draws everything that is drawn: the same seed makes the same attack. */
  seed: number
  /** The whole of it, for minutes or more; else as much as the suite has time for. */
  long: boolean
  /** Folders of other people's files, for attacks that read some beside this repository's. */
  files?: readonly string[]
  /** Tells how far it is. */
  say(line: string): void
}

/**
 * Tries to break promises of `docs/guarantees.md` from outside: it starts Nura as an operator does, on stores and fakes of its
 * own, and reports what it counted.
 */
export type Attack = {
  readonly name: string
  readonly tries: string
  run(options: AttackOptions): Promise<Figure[]>
}
