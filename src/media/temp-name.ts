// Answers for what the program's own unfinished files are called, so that whoever watches the folder can pass them by.
import { MARKER_NAME } from './media.ts'

/** Whatever begins with this, in any directory of the folder, is an unfinished file of this program. */
const TEMP_PREFIX = `${MARKER_NAME}-`

/** The name of an unfinished file; `unique` is drawn by whoever creates it. */
export const createTempName = (unique: string): string => `${TEMP_PREFIX}${unique}.part`

/** Whether a file of that name is an unfinished one of this program. */
export const isTempName = (name: string): boolean =>
  name.startsWith(TEMP_PREFIX) && name.endsWith('.part')
