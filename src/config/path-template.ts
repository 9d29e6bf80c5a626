// Answers for where downloads go: path templates such as `inbox/{date}/{name}`. Not for filling them in.

/** What can stand in a template: when it was sent, by whom, its kind, its name with the extension, its media_id. */
const NAMES = ['date', 'time', 'from', 'type', 'name', 'id'].map((name) => `{${name}}`)

/** The same, for people. */
export const KNOWN_NAMES = NAMES.map((name) => `\`${name}\``).join(', ')

/**
 * Whether a template stays inside the folder, keeps names apart and is seen again by the watcher: relative, without
 * `..`, without parts that begin with a dot (those are ignored), and with `{name}` in its last part.
 */
export function isPathTemplate(template: string): boolean {
  const plain = NAMES.reduce((rest, name) => rest.replaceAll(name, 'x'), template)
  const parts = plain.split('/')
  return (
    !/[{}\\\p{Cc}]/u.test(plain) &&
    parts.every((part) => part !== '' && !part.startsWith('.')) &&
    template.slice(template.lastIndexOf('/') + 1).includes('{name}')
  )
}
