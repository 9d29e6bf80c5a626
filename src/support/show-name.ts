// Answers for text of other people's making on a terminal or in a log: it is shown, and commands nothing. Pure.

/** With control characters and changes of writing direction made visible, so that it cannot move the cursor or fake a line. */
export const showName = (name: string): string =>
  name.replaceAll(
    /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu,
    (char) => `\\u{${char.charCodeAt(0).toString(16)}}`,
  )
