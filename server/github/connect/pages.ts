import type { Page } from './page.ts'

/** Everything that the pages of the connect flow say. */

export function offerInstallation(account: string, tenant: string, address: string): Page {
  return {
    status: 200,
    title: `Connect ${account} to «${tenant}»?`,
    paragraphs: [
      `GitHub has confirmed that you administer the App's installation for ${account}. Its repositories will be indexed for «${tenant}», and the people of «${tenant}» are answered from them.`,
      `If «${tenant}» is not your own team, close this page: nothing is connected yet.`,
    ],
    button: { label: `Connect ${account}`, address },
  }
}

export function offerPerson(login: string, who: { name: string; reader: string }, address: string): Page {
  return {
    status: 200,
    title: `Link @${login} to ${who.name}?`,
    paragraphs: [
      `You signed in to GitHub as @${login}. From then on the person ${who.name} (${who.reader}) is answered from the connected repositories that @${login} may read on GitHub.`,
      `If that person is not you, close this page: nothing is linked yet.`,
    ],
    button: { label: `Link @${login}`, address },
  }
}

export function connected(account: string): Page {
  return {
    status: 200,
    title: `${account} is connected`,
    paragraphs: [
      'Nura now lists its repositories and indexes them one after another; small ones answer questions within a minute. From then on every push, pull request and mention on GitHub is followed.',
      'You can close this page.',
    ],
  }
}

export function linked(login: string): Page {
  return { status: 200, title: `@${login} is linked`, paragraphs: ['Questions that you ask Nura in a direct message are now answered from the repositories that you may read on GitHub, too. To take it back, write /nura unlink github in Slack.', 'You can close this page.'] }
}

export function requested(): Page {
  return { status: 200, title: 'An owner has to approve it', paragraphs: ['GitHub has asked the owners of the organisation to install Nura. Nothing is connected yet: once one of them has approved it, write /nura connect github in Slack again.'] }
}

export function updated(): Page {
  return { status: 200, title: 'Saved on GitHub', paragraphs: ['Nura follows the change by itself within a few minutes. If this installation is not connected yet, write /nura connect github in Slack.'] }
}

export function declined(): Page {
  return { status: 400, title: 'Nothing was changed', paragraphs: ['GitHub says that you did not agree. To try again, start in Slack: /nura connect github or /nura link github.'] }
}

export function notBegunHere(): Page {
  return {
    status: 400,
    title: 'Not connected yet',
    paragraphs: ['This page was not opened from Nura, so Nura cannot tell whose installation it is. An admin writes /nura connect github in Slack; an operator uses npm run tenant -- connect NAME github:ID.'],
  }
}

/** @param ref finds the lines of the log; shown where the reason is ours */
export function failed(status: number, message: string, ref: string): Page {
  return { status, title: 'That did not work', paragraphs: [message, ...(status >= 500 ? [`Reference: ${ref}`] : [])] }
}
