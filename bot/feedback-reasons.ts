/** The three reasons that a thumb down may have. */
export const feedbackReasons = [
  { value: 'wrong', label: 'It is wrong' },
  { value: 'incomplete', label: 'It misses something' },
  { value: 'sources', label: 'It cites the wrong sources' },
] as const
