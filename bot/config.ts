import { z } from 'zod'
import { readEnv } from '#db/read-env.ts'
import { platforms } from './platforms.ts'

/** Everything the bot reads from the environment; each platform brings its own keys. */
export const botEnv = {
  NURA_SERVER_URL: z.url({ protocol: /^https?$/, error: 'must be the address of the server, such as http://127.0.0.1:3000' }).optional(),
  ...Object.assign({}, ...platforms.map((platform) => platform.env)) as (typeof platforms)[number]['env'],
}
export type BotEnv = z.output<z.ZodObject<typeof botEnv>>

/** Reads the keys of every platform and lets each judge its own together. @throws NuraError `bad-environment` */
export function readBotEnv(env: NodeJS.ProcessEnv = process.env): BotEnv {
  const read = readEnv(botEnv, env)
  for (const platform of platforms) platform.check(read)
  return read
}
