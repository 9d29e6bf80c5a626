// Answers for what a rate is: how much may be sent, by the corp's quota and by the line.

/** What may be used, sustained. */
export interface Rate {
  /** At least 1. */
  readonly callsPerHour: number
  /** Undefined: as much as the line carries. */
  readonly bytesPerSecond: number | undefined
}
