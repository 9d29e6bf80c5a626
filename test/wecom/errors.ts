// What the service may answer, as the rest of the program sees it.
import { WecomRefused, WecomUnreachable } from '../../src/errors.ts'
import { findErrcode } from '../../src/wecom/errcode.ts'

/** WeCom's "no", with the remedy of the table. */
export const refused = (errcode: number): WecomRefused =>
  new WecomRefused(`no (errcode ${errcode})`, {
    errcode,
    errmsg: '',
    remedy: findErrcode(errcode).remedy,
  })

export const unreachable = (): WecomUnreachable => new WecomUnreachable('cannot reach WeCom')
