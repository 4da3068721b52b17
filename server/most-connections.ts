/** More are of no use to one process. */
const enough = 2_000

/**
 * How many connections a process should take: half of what it may have open, for behind each there are others. Without a bound
 * of its own it would meet the system's in the middle of its work, where no file opens any more and no database answers.
 */
export function mostConnections(): number {
  // Node's types do not know it yet. With the network in it a report would look up names.
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report
  report.excludeNetwork = true
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: number | 'unlimited' } } }
  const files = Number(userLimits?.open_files?.soft)
  return Number.isFinite(files) ? Math.max(8, Math.min(enough, Math.floor(files / 2))) : enough
}
