/**
 * One price as a provider lists it: US dollars for one `unit` of something, before taxes, discounts and free tiers. `source` is where to
 * look it up, `year` that of the list it was taken for.
 */
export type Price = { value: number; unit: string; of: string; source: string; year: number }

/**
 * List prices of AWS us-east-1, of a small host with a European region, and of hardware of one's own. They were written down by hand,
 * not read from these pages by a program, and nothing asks for them again: check before you rely on it. Models' prices are in `server/models/`.
 */
export const prices = {
  // AWS us-east-1, on demand, Linux.
  rds4: { value: 0.065, unit: 'hour', of: 'db.t4g.medium (4 GiB)', source: 'aws.amazon.com/rds/postgresql/pricing', year: 2026 },
  rds8: { value: 0.129, unit: 'hour', of: 'db.t4g.large (8 GiB)', source: 'aws.amazon.com/rds/postgresql/pricing', year: 2025 },
  rds16: { value: 0.225, unit: 'hour', of: 'db.r6g.large (16 GiB)', source: 'aws.amazon.com/rds/postgresql/pricing', year: 2025 },
  rds32: { value: 0.45, unit: 'hour', of: 'db.r6g.xlarge (32 GiB)', source: 'aws.amazon.com/rds/postgresql/pricing', year: 2025 },
  rds64: { value: 0.899, unit: 'hour', of: 'db.r6g.2xlarge (64 GiB)', source: 'aws.amazon.com/rds/postgresql/pricing', year: 2025 },
  rdsStorage: { value: 0.115, unit: 'GB-month', of: 'gp3', source: 'aws.amazon.com/rds/postgresql/pricing', year: 2026 },
  rdsBackup: { value: 0.095, unit: 'GB-month', of: 'backup', source: 'aws.amazon.com/rds/postgresql/pricing', year: 2026 },
  elastiCache: { value: 0.016, unit: 'hour', of: 'cache.t4g.micro, Redis', source: 'aws.amazon.com/elasticache/pricing', year: 2025 },
  fargateCpu: { value: 0.04048, unit: 'vCPU-hour', of: 'a task, x86', source: 'aws.amazon.com/fargate/pricing', year: 2025 },
  fargateMemory: { value: 0.004445, unit: 'GB-hour', of: 'a task, x86', source: 'aws.amazon.com/fargate/pricing', year: 2025 },
  balancer: { value: 0.0225, unit: 'hour', of: 'load balancer', source: 'aws.amazon.com/elasticloadbalancing/pricing', year: 2025 },
  balancerUnit: { value: 0.008, unit: 'hour', of: 'capacity unit', source: 'aws.amazon.com/elasticloadbalancing/pricing', year: 2025 },
  nat: { value: 0.045, unit: 'hour', of: 'NAT gateway', source: 'aws.amazon.com/vpc/pricing', year: 2025 },
  natTraffic: { value: 0.045, unit: 'GB', of: 'traffic through a NAT gateway', source: 'aws.amazon.com/vpc/pricing', year: 2025 },
  address: { value: 0.005, unit: 'hour', of: 'public IPv4 address', source: 'aws.amazon.com/vpc/pricing', year: 2025 },
  traffic: { value: 0.09, unit: 'GB', of: 'traffic to the internet', source: 'aws.amazon.com/ec2/pricing/on-demand', year: 2025 },
  logs: { value: 0.5, unit: 'GB', of: 'CloudWatch Logs, taken in', source: 'aws.amazon.com/cloudwatch/pricing', year: 2025 },
  kmsKey: { value: 1, unit: 'month', of: 'key', source: 'aws.amazon.com/kms/pricing', year: 2025 },
  endpointGpu: { value: 0.7364, unit: 'hour', of: 'ml.g4dn.xlarge (T4, 16 GB)', source: 'aws.amazon.com/sagemaker/pricing', year: 2025 },
  // Quoted at 0.23 too; the higher of the two.
  endpointCpu: { value: 0.269, unit: 'hour', of: 'ml.m5.xlarge (4 vCPU, 16 GiB)', source: 'aws.amazon.com/sagemaker/pricing', year: 2025 },
  endpointServerless: { value: 0.00012, unit: 'second', of: '6 GB, while it computes', source: 'aws.amazon.com/sagemaker/pricing', year: 2025 },

  // A small host with regions in Europe.
  hostServer: { value: 48, unit: 'month', of: '4 vCPU, 8 GiB, 160 GB, 5 TB of traffic', source: 'digitalocean.com/pricing/droplets', year: 2025 },
  hostServerBackup: { value: 9.6, unit: 'month', of: 'weekly copies of it', source: 'digitalocean.com/pricing/droplets', year: 2025 },
  hostDatabase4: { value: 60.9, unit: 'month', of: 'managed PostgreSQL, 4 GiB, 60 GB', source: 'digitalocean.com/pricing/managed-databases', year: 2025 },
  hostDatabase8: { value: 121.8, unit: 'month', of: 'managed PostgreSQL, 8 GiB, 140 GB', source: 'digitalocean.com/pricing/managed-databases', year: 2025 },
  hostDatabase16: { value: 243.6, unit: 'month', of: 'managed PostgreSQL, 16 GiB, 290 GB', source: 'digitalocean.com/pricing/managed-databases', year: 2025 },
  hostDatabase32: { value: 487.2, unit: 'month', of: 'managed PostgreSQL, 32 GiB, 600 GB', source: 'digitalocean.com/pricing/managed-databases', year: 2025 },

  // A machine of one's own, as docker-compose-models.yml needs it.
  ownGpu: { value: 12_000, unit: 'piece', of: 'A100, 80 GB, bought', source: 'estimate of what resellers ask', year: 2026 },
  ownMachine: { value: 6_000, unit: 'piece', of: 'machine for two of them: 16 cores, 128 GB, 4 TB', source: 'estimate of what resellers ask', year: 2026 },
  ownPower: { value: 0.3, unit: 'kWh', of: 'power', source: 'estimate for a business in Europe', year: 2026 },
} as const satisfies Record<string, Price>
