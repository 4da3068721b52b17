/** The rights Nura asks for, each with its reason; `manifest.json` lists the same. */
export const scopes = [
  'app_mentions:read', // hear its name
  'assistant:write', // status and suggested prompts
  'channels:history', // follow-ups and the thread it is called into
  'channels:read', // whether outsiders read along
  'chat:write', // answer
  'commands', // /nura
  'files:write', // the charts of reports
  'groups:history',
  'groups:read',
  'im:history', // direct messages
  'mpim:history',
  'mpim:read',
  'reactions:write', // eyes where there is no status
  'users:read', // guests, strangers, admins, time zones
]
