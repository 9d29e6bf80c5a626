import { expect, it } from 'vitest'
import { CommandFailed } from '../../src/cli/command-failed.ts'
import { exitCodeOf } from '../../src/cli/exit-code.ts'
import { exitCodeOfAnswer, renderError } from '../../src/cli/failure.ts'
import { DaemonSilent } from '../../src/cli/remote-desk.ts'
import {
  ConfigError,
  FileUnreadable,
  HostUnable,
  isMirrorError,
  ManifestUnreadable,
  ManifestUnwritable,
  MediaUnacceptable,
  type Remedy,
  WecomRefused,
  WecomUnreachable,
} from '../../src/errors.ts'
import { failureAnswer } from '../../src/serve/answers.ts'

const refused = (remedy: Remedy) => new WecomRefused('no', { errcode: 1, errmsg: 'no', remedy })

it.each([
  [new ConfigError('no'), 78],
  [new ManifestUnreadable('no'), 78],
  [new ManifestUnwritable('no'), 74],
  [new HostUnable('no'), 74],
  [new MediaUnacceptable('no'), 1],
  [new FileUnreadable('no'), 1],
  [new WecomUnreachable('no'), 69],
  [refused('stop'), 77],
  [refused('skip'), 1],
  [refused('retry'), 69],
  [refused('slow-down'), 69],
  [refused('refresh-token'), 69],
  [new CommandFailed('no', { exitCode: 2 }), 2],
  [new DaemonSilent('no'), 69],
  [new TypeError('x is not a function'), 70],
  ['thrown text', 70],
])('%s ends a command with its own code', (error, code) => {
  expect(exitCodeOf(error)).toBe(code)
  // Over the wire it is the same failure.
  if (isMirrorError(error)) expect(exitCodeOfAnswer(failureAnswer(error))).toBe(code)
})

it('a failure is shown with its hint, and cannot fake a line', () => {
  const error = new FileUnreadable('cannot read `a\nb`', { hint: 'chmod \x1b[2J' })
  expect(renderError(error)).toBe('cannot read `a\\u{a}b`\n  → chmod \\u{1b}[2J')
  expect(renderError(new Error('odd'))).toMatch(/^this is a bug .*\nError: odd\n {4}at /)
})
