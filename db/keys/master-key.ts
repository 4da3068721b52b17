/** Whose data key it is. Wrapped for one tenant, it is unwrapped for no other. */
export type DataKeyName = { tenantId: string; keyId: string }

/** What data keys are wrapped with before they are stored. It never leaves its place: this process's environment, or AWS KMS. */
export type MasterKey = {
  /** Stored beside what it wrapped: tells which key is needed, and nothing else. */
  readonly id: string
  wrap(dataKey: Buffer, name: DataKeyName): Promise<Buffer>
  /** @throws NuraError `secret-unreadable` for what it did not wrap; of KMS also `key-store-away`, `key-store-refused` */
  unwrap(wrapped: Buffer, name: DataKeyName): Promise<Buffer>
}
