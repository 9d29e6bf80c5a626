// The little that we use of a package that brings no types.
declare module 'wechat-enterprise-api' {
  type Callback<Result> = (error: (Error & { code?: number }) | null, result: Result) => void

  class Api {
    /** Where it calls; ends in `/cgi-bin/`. */
    prefix: string
    constructor(corpId: string, secret: string, agentId: string)
    uploadMedia(path: string, type: string, callback: Callback<Record<string, unknown>>): void
    getMedia(mediaId: string, callback: Callback<Buffer>): void
  }
  export = Api
}
