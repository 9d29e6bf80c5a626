// Answers for where downloads go: path templates such as `inbox/{date}/{name}`. Not for filling them in.

/** What can stand in a template. */
export type TemplateName = 'date' | 'name' | 'from'

/**
 * Whether a template stays inside the folder, keeps names apart and is seen again by the watcher: relative, without
 * `..`, without parts that begin with a dot (those are ignored), and with `{name}` in its last part.
 */
export function isPathTemplate(template: string, names: readonly TemplateName[]): boolean {
  const known = names.map((name) => `{${name}}`)
  const plain = known.reduce((rest, name) => rest.replaceAll(name, 'x'), template)
  const parts = plain.split('/')
  return (
    !/[{}\\\p{Cc}]/u.test(plain) &&
    parts.every((part) => part !== '' && !part.startsWith('.')) &&
    template.slice(template.lastIndexOf('/') + 1).includes('{name}')
  )
}
