import { expect, it } from 'vitest'
import { rankOf } from '../../src/plan/renewal-order.ts'
import type { Step } from '../../src/plan/step.ts'
import { aFile, anEntry, HOUR_MS, NOW_MS } from '../helpers/builders.ts'

const renewal = (ageHours: number): Step => {
  const file = aFile({ path: `${ageHours}h` })
  return { kind: 'renew', path: file.path, file, entry: anEntry({ of: file, ageHours }) }
}
const upload = (changedAtMs: number): Step => {
  const file = aFile({ path: `${changedAtMs}`, changedAtMs })
  return { kind: 'upload', path: file.path, file, because: 'new' }
}
const inOrder = (steps: Step[]) =>
  [...steps].sort((a, b) => rankOf(a, NOW_MS) - rankOf(b, NOW_MS)).map((s) => s.path)

it('takes the earliest deadline first, the living before the dead, of the dead the youngest', () => {
  const steps = [80, 50, 100, 70, 60, 73].map(renewal)
  expect(inOrder(steps)).toEqual(['70h', '60h', '50h', '73h', '80h', '100h'])
})

it('takes the file that changed last first, so that a newcomer is not behind a bulk', () => {
  const newest = upload(NOW_MS)
  const bulk = [1, 2, 3].map((hours) => upload(NOW_MS - hours * HOUR_MS))
  expect(inOrder([...bulk, newest])[0]).toBe(newest.path)
})
