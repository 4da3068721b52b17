import type { ServiceEnv } from '#infra/testing/start-deployment.ts'

export const serviceSecret = 'a service secret that is long enough to be one'

/** What processes of a bench share, where every question is to be answered, and anew. */
export function toAnsweringEnv({ url, redisUrl }: { url: string; redisUrl: string }): ServiceEnv {
  return {
    DATABASE_URL: url,
    REDIS_URL: redisUrl,
    NURA_SERVICE_SECRET: serviceSecret,
    NURA_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
    LOG_LEVEL: 'warn',
    NURA_LIMIT_ASKER: 'off',
    NURA_LIMIT_CHANNEL: 'off',
    NURA_LIMIT_TENANT: 'off',
    NURA_ANSWER_CACHE: 'off',
  }
}

/** Has each agent ask one fake of a model, and no other. */
export function toFakeModelEnv(url: string): Record<string, string> {
  const models = 'openai:fake-chat'
  return { OPENAI_API_KEY: 'none', OPENAI_BASE_URL: url, DEV_MODELS: models, PM_MODELS: models, ARCHITECT_MODELS: models }
}
