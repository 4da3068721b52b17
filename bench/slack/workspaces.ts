import { createFakeWorkspace } from '#bot/testing/fake-slack-methods.ts'
import type { Workspace } from '#bot/testing/fake-slack-methods.ts'

export const toTeamId = (at: number) => `T0BENCH${String(at).padStart(3, '0')}`
/** Slack's token of a team: the same for who installs it and for who checks it. */
export const toBotToken = (teamId: string) => `xoxb-of-${teamId.toLowerCase()}`

export function toWorkspaces(count: number): Workspace[] {
  return Array.from({ length: count }, (_, at) => createFakeWorkspace({ teamId: toTeamId(at), token: toBotToken(toTeamId(at)) }))
}
