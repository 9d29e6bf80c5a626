// `plan`: prints the steps that a full pass would take now, and takes none.
import type { StepAnswer } from '../serve/desk.ts'
import { showName } from '../support/show-name.ts'
import { type Command, print, printJson } from './command.ts'
import { previewSteps } from './desk-access.ts'
import { EXIT } from './exit-code.ts'

export const planCommand: Command = {
  name: 'plan',
  summary: 'prints the steps that a pass would take, and takes none',
  async run(context) {
    const steps = await previewSteps(context)
    if (context.json) printJson(context, steps)
    else print(context, renderSteps(steps))
    return EXIT.done
  },
}

const renderSteps = (steps: readonly StepAnswer[]): string =>
  steps.length === 0 ? 'nothing to do' : steps.map((step) => showName(step.because)).join('\n')
