// Answers for what holds when the file is silent, in the file's own form. These values are a contract with every operator.
// Not here, because they follow from others: `renewal.before` and `renewal.spread` (see create-config.ts), `state`.

export const DEFAULTS = {
  wecom: {
    baseUrl: 'https://qyapi.weixin.qq.com',
    limits: 'wecom',
    quota: { perMinute: 10_000, perHour: 150_000, share: '50%' },
  },
  folder: { settle: '1s', rescan: '10m', onDelete: 'restore', downgrade: true },
  manifest: { mode: '0640' },
  renewal: { lifetime: '3d', schedule: '*/5 * * * *' },
  restore: { schedule: '*/5 * * * *' },
  audit: { schedule: '17 3 * * *', sample: 100 },
  references: { renew: false, inbox: 'inbox/{date}/{name}' },
  callback: {
    listen: '0.0.0.0:8788',
    path: '/wecom/callback',
    saveTo: 'inbox/{date}/{from}/{name}',
  },
  transfer: { uploads: 4, downloads: 4, bandwidth: 'unlimited' },
  on: { timeout: '10s', giveUpAfter: '24h', concurrency: 4 },
  http: { listen: '127.0.0.1:8787' },
  log: { level: 'info', format: 'auto' },
} as const

/** `renewal.before` and `renewal.spread` are these parts of the lifetime: 24h and 8h of three days. */
export const BEFORE_PART = 1 / 3
export const SPREAD_PART = 1 / 9
