// Answers for what is said about text that is no YAML. Never with the words of the library: those repeat pieces of the
// file, and a piece may be a secret.
import type { ErrorCode } from 'yaml'

/** Of a key that stands twice; YAML itself forbids it, and which one was meant only a person knows. */
export const TWICE = 'this key stands twice in its mapping: remove one'

/** Of an alias without anchor: nearly always a schedule whose quotes were forgotten. */
export const STAR = 'a value that begins with `*` must stand in quotes, such as "*/5 * * * *"'

/** Of a key with the colon of a Chinese keyboard, which to YAML is a letter. */
export const WIDE_COLON = 'a full-width `：` is no colon here: write `: `, with a space after it'

/** How each objection of the library is put to a person. */
export const SYNTAX: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS:
    'an alias (`*name`) takes no anchor or tag; put a value that begins with `*` in quotes',
  BAD_ALIAS: STAR,
  BAD_COLLECTION_TYPE: 'the tag does not fit what follows it',
  BAD_DIRECTIVE: 'a line that begins with `%` is no directive that is known',
  BAD_DQ_ESCAPE: 'unknown escape after a backslash; in single quotes a backslash is just that',
  BAD_INDENT: 'the indentation does not fit the lines above, or a bracket above is not closed',
  BAD_PROP_ORDER: 'an anchor or tag stands in the wrong place',
  BAD_SCALAR_START: 'a value cannot begin with this character: put it in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a second `key:` here; put a value that contains `: ` in quotes, or check the indentation',
  BLOCK_IN_FLOW: 'lines of `key: value` cannot stand inside brackets',
  DUPLICATE_KEY: TWICE,
  IMPOSSIBLE: 'it cannot be read',
  KEY_OVER_1024_CHARS: 'a key is far too long; is a quote not closed?',
  MISSING_CHAR:
    'something is missing: a colon and a space after a key, a comma, or the closing quote or bracket of something above',
  MULTILINE_IMPLICIT_KEY:
    'a key must stand on one line; check the indentation and the quotes above',
  MULTIPLE_ANCHORS: 'a value can have only one anchor',
  MULTIPLE_DOCS: 'a second document begins; remove the `---`',
  MULTIPLE_TAGS: 'a value can have only one tag',
  NON_STRING_KEY: 'a key must be a single word, not a list or mapping; put `{{…}}` in quotes',
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
  TAB_AS_INDENT: 'a tab cannot indent: use spaces',
  TAG_RESOLVE_FAILED:
    'tags such as `!name` are not known; put a value that begins with `!` in quotes',
  UNEXPECTED_TOKEN:
    'something stands here that does not belong; check the indentation and the quotes above',
}
