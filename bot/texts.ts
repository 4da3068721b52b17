/** What Nura says that is no answer. Each is one short, true text. */
export const texts = {
  help: 'I answer questions about your code and documents, and cite file, lines and commit for every claim. Mention me with a question; in a thread where I have answered, just ask on. `mute` keeps me quiet in a thread, `stop` ends a running answer, `why?` shows what an answer rests on.',
  muted: 'I stay quiet in this thread now. Mention me and I am back.',
  unmuted: 'I am listening in this thread again.',
  privacy:
    'I read the messages that mention me, direct messages, and replies in threads where I was asked. Their text is used to answer you, kept for a limited time, and never indexed or used for training. Answers come only from repositories and documents that were connected for your workspace, and only those this channel or you may see. Delete your message and I delete my answer and its stored text.',
  waiting: 'No model answers just now. I keep trying, and answer here as soon as one does.',
  askingAgain: 'The model broke off before it was done. I ask again.',
  gone: 'That answer is no longer kept.',
  broken: 'Something went wrong on my side. Ask again in a moment.',
}
