import { toPrivacyText } from '#server/retention.ts'

/** What Nura says that is no answer. Each is one short, true text. */
export const texts = {
  help: 'I answer questions about your code and documents, and cite file, lines and commit for every claim. Mention me with a question; in a thread where I have answered, just ask on. `mute` keeps me quiet in a thread, `stop` ends a running answer, `why?` shows what an answer rests on. `config` tells what is in force here and where it comes from, `privacy` what is kept and for how long.',
  muted: 'I stay quiet in this thread now. Mention me and I am back.',
  unmuted: 'I am listening in this thread again.',
  privacy: toPrivacyText(),
  waiting: 'No model answers just now. I keep trying, and answer here as soon as one does.',
  askingAgain: 'The model broke off before it was done. I ask again.',
  interrupted: 'Something of mine is not there just now. I keep trying, and answer here as soon as it is back.',
  gone: 'That answer is no longer kept.',
  broken: 'Something went wrong on my side. Ask again in a moment.',
}
