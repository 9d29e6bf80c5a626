// Loaded into a measured program with --import: at its end it writes what the process cost to the file that $PROBE_FILE names.
import { writeFileSync } from 'node:fs'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()

process.once('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const cost = {
    wallMs: Math.round(performance.now()),
    cpuMs: Math.round((userCPUTime + systemCPUTime) / 1000),
    maxStallMs: Math.round(delay.max / 1e5) / 10,
    p99StallMs: Math.round(delay.percentile(99) / 1e5) / 10,
    peakRssMb: Math.round(maxRSS / 1024),
  }
  if (process.env.PROBE_FILE) writeFileSync(process.env.PROBE_FILE, JSON.stringify(cost))
})
