/** A column that holds secrets, in the words of a transaction of the owner's whose schema is the tenant's. */
export type SealedColumn = {
  table: string
  column: string
  /** Which of its rows are the tenant's, `$1` being its id. */
  ofTenant: string
  /** What is authenticated with the secret of a row. */
  toContext(tenantId: string, rowId: string): string
}

export const slackTokens: SealedColumn = {
  table: 'nura.slack_installation',
  column: 'bot_token',
  ofTenant: 'tenant_id = $1',
  toContext: (tenantId) => `${tenantId}:slack`,
}

export const sourceCredentials: SealedColumn = {
  table: 'repository',
  column: 'credentials',
  ofTenant: '$1::uuid is not null',
  toContext: (tenantId, repositoryId) => `${tenantId}:source:${repositoryId}`,
}

/** Every place of a sealed secret: what is not listed here is lost at the next rotation. */
export const sealedColumns: readonly SealedColumn[] = [slackTokens, sourceCredentials]
