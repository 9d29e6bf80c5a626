// Answers for reading what WeCom writes, XML or JSON, as a flat list of fields. It may come from anybody: nothing in it is expanded,
// nothing is followed, and numbers stay the text they are, since a MsgId has 64 bits. Not for what the fields mean.
import sax from 'sax'

/** Fields by their name in lower case: `MediaId` in XML is `mediaid` in JSON. The first of a name counts. */
export type MessageFields = ReadonlyMap<string, string>

/** Messages have some ten fields, events some dozens, none of them deep. */
const MAX_DEPTH = 16
const MAX_ELEMENTS = 2000

/** Without the named characters of HTML; those five of XML and numbers are all there is. */
const STRICT = { strictEntities: true, position: false }

class Unreadable extends Error {}

/** Undefined for what is neither, and for what declares a document type: no message of WeCom's has one. */
export function readMessageFields(text: string): MessageFields | undefined {
  try {
    const plain = text.trim()
    return plain.startsWith('{') ? readJson(plain) : readXml(plain)
  } catch (error) {
    // Too deep for the stack is as good as not well-formed.
    if (error instanceof Unreadable || error instanceof SyntaxError || error instanceof RangeError)
      return undefined
    throw error
  }
}

function readXml(text: string): MessageFields {
  const fields = new Map<string, string>()
  const refuse = () => {
    throw new Unreadable()
  }
  const parser = sax.parser(true, STRICT)
  let [depth, elements, roots] = [0, 0, 0]
  let value = ''
  parser.onerror = refuse
  parser.ondoctype = refuse
  parser.onopentag = () => {
    if (depth === 0) roots++
    if (++depth > MAX_DEPTH || ++elements > MAX_ELEMENTS || roots > 1) refuse()
    value = ''
  }
  parser.onclosetag = (name) => {
    // Only what stands directly in the root; an article of a message has fields of the same names.
    if (--depth === 1) addField(fields, name, value)
    value = ''
  }
  parser.ontext = (part) => void (value += part)
  parser.oncdata = (part) => void (value += part)
  parser.write(text).close()
  if (roots === 0) refuse()
  return fields
}

function readJson(text: string): MessageFields {
  const fields = new Map<string, string>()
  const read: unknown = JSON.parse(text, keepNumbers)
  for (const [name, value] of Object.entries(Object(read)))
    if (typeof value === 'string') addField(fields, name, value)
  return fields
}

/** A number as it was written; what `JSON.parse` makes of it is rounded to 53 bits. */
const keepNumbers = (_: string, value: unknown, { source }: { source?: string } = {}): unknown =>
  typeof value === 'number' ? (source ?? String(value)) : value

function addField(fields: Map<string, string>, name: string, value: string): void {
  const key = name.toLowerCase()
  if (!fields.has(key)) fields.set(key, value)
}
