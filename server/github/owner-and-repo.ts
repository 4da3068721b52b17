/** `owner/name` in the two words that GitHub's routes take. */
export function toOwnerAndRepo(fullName: string): { owner: string; repo: string } {
  const [owner = '', repo = ''] = fullName.split('/')
  return { owner, repo }
}
