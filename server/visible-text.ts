/**
 * Characters that nobody sees and a model reads all the same: zero-width and joining ones, marks of direction, variation
 * selectors, tag characters, fillers, controls. Tab and line breaks are none of them.
 */
export const invisible = /[\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFC\u{13430}-\u{1343F}]|[^\P{Cc}\t\n\r]/gu
/** Breaks of lines that no tool counts as lines. */
const otherBreaks = /[\u0085\u2028\u2029]/g

/** A text as a person sees it. Lines stay where they are; doing it again changes nothing. */
export function toVisibleText(text: string): string {
  return text.replace(otherBreaks, ' ').replace(invisible, '')
}
