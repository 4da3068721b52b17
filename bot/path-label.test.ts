import { expect, it } from 'vitest'
import { toPathLabel } from './path-label.ts'

it('parts what would be a link in a path, and leaves every other path as it is', () => {
  expect(toPathLabel('docs/[the details](http__evil).md')).toBe('docs/[the details] (http__evil).md')
  expect(toPathLabel('app/[slug]/(group)/page.tsx')).toBe('app/[slug]/(group)/page.tsx')
})
