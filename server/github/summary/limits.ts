/** Everything that bounds one run, so that no pull request takes more than this whatever it holds. */
export const limits = {
  /** Files of a listing; GitHub gives no more. */
  listedFiles: 3_000,
  /** Characters of diff kept of one file. */
  patch: 200_000,
  /** Characters of diff kept of one run. */
  patches: 12_000_000,
  /** Files whose diff is made here, of both contents, where GitHub gives none. */
  comparedFiles: 40,
  /** Changed files whose content is read for the symbols in it. */
  readFiles: 40,
  /** Files whose symbols are told. */
  outlinedFiles: 120,
  /** Characters of a file whose diff is made here. */
  compared: 1_000_000,
  /** Characters of a file that is outlined. */
  outlined: 700_000,
  /** Edits after which two contents are told to be different altogether. */
  edits: 4_000,
  /** Commits whose subjects are read. */
  commits: 100,
  /** Tokens that all requests of one run may hold together; estimated, `charactersPerToken` each. */
  tokensPerRun: 60_000,
  tokensPerCall: 16_000,
  /** Of `tokensPerRun`, kept for putting the notes of several requests together. */
  tokensToReduce: 8_000,
  outputTokens: 900,
  /** Longest wait for the whole of one answer, milliseconds. */
  answerMs: 180_000,
  charactersPerToken: 3.5,
  /** Characters of one file's diff that a model reads. */
  patchForModel: 16_000,
  /** Characters of the comment; GitHub takes 65,536. */
  comment: 60_000,
} as const

/** An estimate on the safe side: source text has some four characters a token. */
export function toTokens(characters: number): number {
  return Math.ceil(characters / limits.charactersPerToken)
}
