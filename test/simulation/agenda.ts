// Answers for when what a scenario says is done: at which tick which act. Not for what the acts do.
import { HOUR_MS, type Incident, type Scenario, TICK_MS } from './scenario.ts'

type Act = () => Promise<void> | void

/** What is to be done at which tick. */
export function createAgenda(
  scenario: Scenario,
  acts: {
    begin: () => Promise<void>
    restart: () => Promise<void>
    befall: (incident: Incident) => Promise<void>
    endOutage: (hours: number) => void
  },
): (atMs: number) => Act[] {
  const agenda = new Map<number, Act[]>()
  const put = (atHours: number, act: Act) => {
    const atMs = Math.round((atHours * HOUR_MS) / TICK_MS) * TICK_MS
    agenda.set(atMs, [...(agenda.get(atMs) ?? []), act])
  }
  put(0, acts.begin)
  for (const incident of scenario.incidents) {
    put(incident.atHours, () => acts.befall(incident))
    if (incident.kind === 'outage')
      put(incident.atHours + incident.hours, () => acts.endOutage(incident.hours))
  }
  const { restartEveryHours } = scenario
  if (restartEveryHours !== undefined) {
    for (let hours = restartEveryHours; hours < scenario.days * 24; hours += restartEveryHours)
      put(hours, acts.restart)
  }
  return (atMs) => agenda.get(atMs) ?? []
}
