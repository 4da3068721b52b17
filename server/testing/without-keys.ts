import type { ModelSettings } from '../models/index.ts'

/** What the providers of chat models are given where nothing is set. */
export const withoutKeys: ModelSettings = {
  openai: { apiKey: null, baseUrl: 'https://api.openai.com/v1' },
  anthropic: { apiKey: null, baseUrl: 'https://api.anthropic.com' },
  bedrock: { region: null, hasProfile: false },
}
