import { describe, expect, it } from 'vitest'
import { isPrivate, overlap, parseListen } from '../../src/config/listen.ts'
import { isPathTemplate } from '../../src/config/path-template.ts'

describe('an address to listen on', () => {
  it.each([
    ['127.0.0.1:8787', { kind: 'tcp', host: '127.0.0.1', port: 8787 }],
    ['localhost:0', { kind: 'tcp', host: 'localhost', port: 0 }],
    ['[::1]:8787', { kind: 'tcp', host: '::1', port: 8787 }],
    ['unix:/run/m/http.sock', { kind: 'unix', path: '/run/m/http.sock' }],
  ])('can be %s', (text, address) => expect(parseListen(text)).toEqual(address))

  it.each([
    '',
    '8787',
    ':8787',
    '127.0.0.1',
    '127.0.0.1:',
    '1.2.3.4:65536',
    '::1:80',
    'unix:',
    'a b:1',
  ])('cannot be %j', (text) => expect(parseListen(text)).toBeUndefined())

  it.each([
    ['127.0.0.1:1', true],
    ['127.8.9.1:1', true],
    ['localhost:1', true],
    ['[::1]:1', true],
    ['unix:/x', true],
    ['0.0.0.0:1', false],
    ['[::]:1', false],
    ['127.0.0.1.example.com:1', false],
    ['10.0.0.1:1', false],
  ])('%s is reached from this machine only: %s', (text, expected) => {
    const address = parseListen(text)
    expect(address && isPrivate(address)).toBe(expected)
  })
})

it.each([
  ['127.0.0.1:80', '127.0.0.1:80', true],
  ['0.0.0.0:80', '127.0.0.1:80', true],
  ['10.0.0.1:80', '[::]:80', true],
  ['localhost:80', '127.0.0.1:80', true],
  ['127.0.0.1:80', '127.0.0.1:81', false],
  ['10.0.0.1:80', '127.0.0.1:80', false],
  ['0.0.0.0:0', '0.0.0.0:0', false],
  ['unix:/a', 'unix:/a', true],
  ['unix:/a', 'unix:/b', false],
  ['unix:/a', '0.0.0.0:80', false],
])('%s and %s get in each other’s way: %s', (one, other, expected) => {
  const [first, second] = [parseListen(one), parseListen(other)]
  expect(first && second && [overlap(first, second), overlap(second, first)]).toEqual([
    expected,
    expected,
  ])
})

describe('a path template', () => {
  it.each([
    '{name}',
    'inbox/{date}/{name}',
    '来信/{date}-{name}',
    'a/x-{name}.part',
    '{type}/{from}/{date} {time} {id} {name}',
  ])('can be %s', (template) => expect(isPathTemplate(template)).toBe(true))

  it.each([
    ['', 'is empty'],
    ['inbox', 'has no {name}'],
    ['{name}/x', 'has {name} in another part than the last'],
    ['../{name}', 'leaves the folder'],
    ['a/../../{name}', 'leaves the folder'],
    ['/inbox/{name}', 'is absolute'],
    ['a//{name}', 'has an empty part'],
    ['./{name}', 'has a dot part'],
    ['.inbox/{name}', 'is hidden from the watcher'],
    ['a\\..\\{name}', 'has a backslash'],
    ['{nmae}/{name}', 'has an unknown placeholder'],
    ['a\n/{name}', 'has a line feed'],
  ])('cannot be %j: it %s', (template) => {
    expect(isPathTemplate(template)).toBe(false)
  })
})
