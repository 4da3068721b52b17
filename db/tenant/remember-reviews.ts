import type { Transaction } from '../transaction.ts'

/**
 * Keeps ready what reviews say of pull requests, for reports over whole years of them. To be called in the transaction that
 * writes pull requests or reviews, after it wrote, with the numbers of all it wrote: made anew from the rows each time, so that
 * no order of writes leads elsewhere.
 *
 * `first_reviewed_at`: by somebody else, since who answers a comment on the own pull request reviews nothing, and bots wait
 * for nobody. `last_reviewed_at`: by any person. `sent_back`: of each reviewer the last verdict stands, and one of them is that it
 * is not right yet. Of a review, `of_other`: the pull request is known, and somebody else's.
 */
export async function rememberReviews(tx: Transaction, repositoryId: string, numbers: number[]): Promise<void> {
  await tx.execute(
    `update activity_review r set of_other = p.author <> r.author from activity_pull p
     where p.repository_id = $1 and p.number = any($2::integer[]) and r.repository_id = p.repository_id and r.number = p.number and r.of_other <> (p.author <> r.author)`,
    [repositoryId, numbers],
  )
  await tx.execute(
    `update activity_pull p set first_reviewed_at = told.first, last_reviewed_at = told.last, sent_back = told.back
     from activity_pull known cross join lateral (
       select min(r.submitted_at) filter (where not r.is_bot and r.author <> known.author) as first, max(r.submitted_at) filter (where not r.is_bot) as last,
         'changes-requested' in (select distinct on (v.author) v.verdict from activity_review v
           where v.repository_id = known.repository_id and v.number = known.number and v.verdict <> 'commented' order by v.author, v.submitted_at desc, v.id desc) as back
       from activity_review r where r.repository_id = known.repository_id and r.number = known.number
     ) told
     where known.repository_id = $1 and known.number = any($2::integer[]) and p.repository_id = known.repository_id and p.number = known.number
       and (p.first_reviewed_at, p.last_reviewed_at, p.sent_back) is distinct from (told.first, told.last, told.back)`,
    [repositoryId, numbers],
  )
}

/** Two that write of the same repository at once would each make it from what the other did not write yet. */
export async function lockReviews(tx: Transaction, schema: string, repositoryId: string): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtext($1))', [`${schema} activity ${repositoryId}`])
}
