import { say, slackEvent, toRequest } from '#bot/testing/slack-event.ts'
import { startEveryDoor } from './infra/testing/start-every-door.ts'
const nura = await startEveryDoor({ env: { LOG_LEVEL: 'info' } })
const { workspace } = nura.slack
const start = nura.output().length
for (const size of [9_000, 500_000]) {
  const m = say(workspace, { text: `<@${workspace.botUserId}> ${'why '.repeat(size / 4)}` })
  const t = Date.now()
  const r = await fetch(`${nura.url('bot')}/slack/events`, toRequest(nura.signingSecret, slackEvent(workspace, m, 'app_mention')))
  console.log(size, r.status)
  for (let i = 0; i < 80; i++) {
    const replies = workspace.messages.filter((x) => x.thread_ts === m.ts && x.user === workspace.botUserId)
    if (replies.length > 0) { console.log('reply after', Date.now() - t, replies[0]!.text.slice(0, 300), JSON.stringify(replies[0]!.blocks).slice(0, 300)); break }
    await new Promise((r) => setTimeout(r, 500))
  }
}
console.log(nura.output().slice(start).slice(-4000))
await nura.close()
process.exit()
