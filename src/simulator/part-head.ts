// Answers for what an upload's part says about itself, read the way the service reads it: `filename*` is not seen at all.

export interface PartHead {
  readonly name: string | undefined
  /** Between the quotes, as UTF-8; no escape is undone. */
  readonly filename: string | undefined
  readonly fileLength: number | undefined
}

/** Reads `Content-Disposition: form-data; name="media"; filename="…"; filelength=6`. Names without quotes are not understood. */
export function parsePartHead(head: string): PartHead {
  const line = head.split('\r\n').find((text) => /^content-disposition:/i.test(text)) ?? ''
  const parameter = (name: string) =>
    new RegExp(`;\\s*${name}="([^"]*)"`, 'i').exec(line)?.[1] || undefined
  const fileLength = /;\s*filelength="?(\d{1,15})"?/i.exec(line)?.[1]
  return {
    name: parameter('name'),
    filename: parameter('filename'),
    fileLength: fileLength === undefined ? undefined : Number(fileLength),
  }
}
