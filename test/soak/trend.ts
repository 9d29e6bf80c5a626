// Whether a figure ends where it began: its slope, by least squares over all censuses, and what that makes over their whole span.
import type { Census } from './census.ts'

interface Trend {
  readonly name: string
  /** Of the line through all points, at the first of them and at the last. */
  readonly began: number
  readonly ended: number
  /** What the line rises by in so many lifetimes. */
  readonly perThousandLifetimes: number
}

export interface Moment {
  /** Lives that media have begun so far. */
  readonly lifetimes: number
  readonly census: Census
}

export function trendsOf(moments: readonly Moment[]): Trend[] {
  const [first] = moments
  if (!first || moments.length < 3) throw new Error('too few moments for a trend')
  return Object.keys(first.census).map((name) => {
    const points = moments.map(({ lifetimes, census }) => ({
      x: lifetimes,
      y: census[name as keyof Census],
    }))
    const [meanX, meanY] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))]
    const slope =
      sum(points.map(({ x, y }) => (x - meanX) * (y - meanY))) /
      sum(points.map(({ x }) => (x - meanX) ** 2))
    const at = (x: number) => meanY + slope * (x - meanX)
    return {
      name,
      began: at(first.lifetimes),
      ended: at(points.at(-1)?.x ?? 0),
      perThousandLifetimes: slope * 1000,
    }
  })
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)
const mean = (numbers: readonly number[]): number => sum(numbers) / numbers.length

/** The figures that ended further above their beginning than they may, in words. A figure without an allowance is only told. */
export const growthBeyond = (
  trends: readonly Trend[],
  allowed: Partial<Readonly<Record<keyof Census, number>>>,
): string[] =>
  trends
    .filter(({ name, began, ended }) => ended - began > (allowed[name as keyof Census] ?? Infinity))
    .map(({ name, began, ended }) => `${name} grew from ${round(began)} to ${round(ended)}`)

/** The rows of a table, one for each figure. */
export const renderTrends = (trends: readonly Trend[]): string =>
  trends
    .map(
      ({ name, began, ended, perThousandLifetimes }) =>
        `${name.padEnd(16)} ${round(began).padStart(9)} -> ${round(ended).padStart(9)}  ${round(perThousandLifetimes).padStart(9)} / 1000 lifetimes`,
    )
    .join('\n')

const round = (figure: number): string => figure.toFixed(Math.abs(figure) < 100 ? 2 : 0)
