import { expect, test } from 'vitest'
import { restate } from './restate.ts'

test.each([
  ['Where do we verify webhook signatures?', 'Webhook signatures are verified'],
  ['where is the session cookie signed?', 'The session cookie is signed'],
  ['Where do we set up the database?', 'The database is set up'],
  ['Where does the app read its config from disk?', 'The config is read from disk'],
  ['Which file do we log errors in?', 'Errors are logged'],
  ['Where do we send mail?', 'Mail is sent'],
  ['Where do you drop stale connections?', 'Stale connections are dropped'],
  ['In which module are the routes registered?', 'The routes are registered'],
  ['Where is the address of the customer validated?', 'The address of the customer is validated'],
  ['Where is it?', null],
  ['Who calls dispatch?', null],
  ['Where do we parse and check tokens?', null],
])('%s → %s', (question, answer) => {
  expect(restate(question)).toBe(answer)
})
