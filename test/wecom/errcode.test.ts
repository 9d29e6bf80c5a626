import { expect, test } from 'vitest'
import type { Remedy } from '../../src/errors.ts'
import { findErrcode, parseFromIp } from '../../src/wecom/errcode.ts'

const byRemedy: Record<Remedy, readonly number[]> = {
  retry: [-1],
  'refresh-token': [40014, 42001],
  'slow-down': [45009, 45033],
  stop: [
    40001, 40013, 41002, 40091, 41004, 45031, 41001, 60020, 301042, 90308, 48002, 48004, 48006,
    50003, 50006, 60011, 60031, 301002, 301007, 93000, 93004, 43001, 43002, 43003, 81013,
  ],
  skip: [
    40004, 40005, 40006, 40007, 40009, 40011, 40123, 40058, 40063, 40035, 40206, 41006, 44001,
    45001, 45007, 301016, 301017, 301019, 830001, 830002, 830003, 40010, 41005,
  ],
}

for (const [remedy, codes] of Object.entries(byRemedy)) {
  test.each(codes)(`errcode %i calls for ${remedy}`, (errcode) => {
    expect(findErrcode(errcode).remedy).toBe(remedy)
    expect(findErrcode(errcode).meaning).not.toContain('does not know')
  })
}

test.each(byRemedy.stop)('whoever must act on %i is told what to do', (errcode) => {
  expect(findErrcode(errcode).hint).toBeTruthy()
})

test('an unknown errcode writes off no file and points to the place to look it up', () => {
  expect(findErrcode(99_999)).toMatchObject({
    remedy: 'retry',
    hint: expect.stringContaining('e=99999'),
  })
})

test.each([40004, 40005, 40009, 40011, 40123, 45001, 45007, 301016, 301017])(
  'a medium refused with %i may go as a file',
  (errcode) => expect(findErrcode(errcode).tryAsFile).toBe(true),
)

test.each([40006, 40007, 40206, 44001, 40001, -1, 99_999])(
  'a medium refused with %i is not tried as a file',
  (errcode) => expect(findErrcode(errcode).tryAsFile).toBeUndefined(),
)

test.each([
  [
    'not allow to access from your ip, hint: [1_2_a], from ip: 203.0.113.7, more info',
    '203.0.113.7',
  ],
  ['…, from ip: 203.0.113.7', '203.0.113.7'],
  ['…, from ip: 2001:db8::1, more info at https://x', '2001:db8::1'],
  ['invalid access_token', undefined],
  ['from ip: , more', undefined],
  ['from ip: <script>', undefined],
])('the address in %j is %j', (errmsg, address) => expect(parseFromIp(errmsg)).toBe(address))
