// Answers for what a rate is: how much may be sent, by the corp's quota and by the line, and how much can be, by the slots.

/** What may be used, sustained. */
export interface Rate {
  /** At least 1. */
  readonly callsPerHour: number
  /** Undefined: as much as the line carries. */
  readonly bytesPerSecond: number | undefined
  /** Undefined as long as too little was seen of them. */
  readonly slots?: SlotTime | undefined
}

/** What a medium takes of all upload slots together: the time that was seen, divided by their number. */
export interface SlotTime {
  readonly perCallMs: number
  readonly perByteMs: number
}
