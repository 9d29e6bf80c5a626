// The one table of commands: what is not listed here does not exist.
import type { Command } from './command.ts'
import { demoCommand } from './demo.ts'
import { forgetCommand } from './forget.ts'
import { idCommand } from './id.ts'
import { listCommand } from './list.ts'
import { planCommand } from './plan.ts'
import { pullCommand } from './pull.ts'
import { runCommand } from './run.ts'
import { simulateCommand } from './simulate.ts'
import { statusCommand } from './status.ts'
import { syncCommand } from './sync.ts'

export const COMMANDS: readonly Command[] = [
  runCommand,
  syncCommand,
  planCommand,
  statusCommand,
  listCommand,
  idCommand,
  pullCommand,
  forgetCommand,
  simulateCommand,
  demoCommand,
]
