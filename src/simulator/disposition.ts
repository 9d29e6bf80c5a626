// Answers for how a download announces its name and type: the forms that have been seen of the real one.
import type { StoredMedium } from './media-index.ts'
import type { SimulatorSettings } from './options.ts'

const BY_FORMAT: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  png: 'image/png',
  mp4: 'video/mp4',
  amr: 'audio/amr',
}

/** A few types by name, JSON among them: a real document of JSON must not be taken for an error. */
const BY_EXTENSION: Readonly<Record<string, string>> = {
  json: 'application/json; charset=UTF-8',
  pdf: 'application/pdf',
  txt: 'text/plain',
  html: 'text/html',
}

const extensionOf = (name: string): string => /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''

export const contentTypeOf = (medium: StoredMedium): string =>
  BY_FORMAT[medium.format] ??
  BY_EXTENSION[extensionOf(medium.wireName)] ??
  'application/octet-stream'

/** The value of Content-Disposition, in bytes as Node wants them (Latin-1), or undefined for none. */
export function renderDisposition(
  medium: StoredMedium,
  form: SimulatorSettings['dispositionForm'],
): string | undefined {
  const extension = extensionOf(medium.wireName)
  const suffix = extension === '' ? '' : `.${asRawUtf8(extension)}`
  switch (form) {
    case 'missing':
      return undefined
    case 'empty-base':
      return `attachment; filename="${suffix}"`
    case 'plain':
      return `attachment; filename="${medium.mediaId}${suffix}"`
    case 'star-and-raw': {
      const star = encodeURIComponent(medium.wireName.toWellFormed()).replace(
        /['()*]/g,
        (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
      )
      return `attachment; filename*=utf-8''${star}; filename="${asRawUtf8(medium.wireName)}"`
    }
  }
}

/** UTF-8 bytes, one character each; control characters cannot stand in a header. */
const asRawUtf8 = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  Buffer.from(text.replace(/[\0-\x1f\x7f]/g, ''), 'utf8').toString('latin1')
