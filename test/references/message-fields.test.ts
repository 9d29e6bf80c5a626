// Reading what WeCom writes, from whoever writes it: nothing is expanded, nothing becomes a number, nothing is too deep.
import { describe, expect, it } from 'vitest'
import { readMessageFields } from '../../src/references/message-fields.ts'

const fieldsOf = (text: string) => Object.fromEntries(readMessageFields(text) ?? [['none', '']])

describe('XML', () => {
  it('is a list of fields, in CDATA or plain, with the characters of XML and no others', () => {
    const text = `\ufeff<?xml version="1.0"?>\n<xml><A><![CDATA[a < b & c]]></A><b>1 &lt; 2 &amp; &#x4e2d;</b><!-- no field --><C/></xml>\n`
    expect(fieldsOf(text)).toEqual({ a: 'a < b & c', b: '1 < 2 & 中', c: '' })
  })

  it('keeps a MsgId of 64 bits, a leading zero and blanks as they are', () => {
    const text = '<xml><MsgId>9223372036854775807</MsgId><N>007</N><T> x </T></xml>'
    expect(fieldsOf(text)).toEqual({ msgid: '9223372036854775807', n: '007', t: ' x ' })
  })

  it('reads only what stands directly in the root, and the first of a name', () => {
    const text =
      '<xml><Article><MediaId>inner</MediaId></Article><MediaId>outer</MediaId><MediaId>again</MediaId></xml>'
    expect(fieldsOf(text)).toEqual({ article: '', mediaid: 'outer' })
  })

  it('takes names of JavaScript’s own for what they are', () => {
    const text = '<xml><__proto__>x</__proto__><constructor>y</constructor></xml>'
    const fields = readMessageFields(text)
    expect([fields?.get('__proto__'), fields?.get('constructor')]).toEqual(['x', 'y'])
  })

  it('has no limit that a long text would meet', () => {
    const long = '长'.repeat(80_000)
    expect(fieldsOf(`<xml><A><![CDATA[${long}]]></A><B>${long}</B></xml>`)).toEqual({
      a: long,
      b: long,
    })
  })

  it.each(
    [
      ['', 'is empty'],
      ['hello', 'is no XML'],
      ['<xml><A>1</xml>', 'closes another element'],
      ['<xml><A>1</A>', 'is cut off'],
      ['<xml/><xml/>', 'has two roots'],
      ['<xml/>and more', 'goes on after its end'],
      ['<xml><A b=c>1</A></xml>', 'has an attribute without quotes'],
      ['<xml>&nbsp;</xml>', 'has a character of HTML'],
      ['<xml>&#0;&#xD800;</xml>', 'has characters that are none'],
      ['<!DOCTYPE xml><xml/>', 'declares a document type'],
      ['<!doctype xml><xml/>', 'declares it in small letters'],
      ['<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml/>', 'names a file'],
      [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><A>&e;</A></xml>',
        'includes one',
      ],
      ['<xml>&e;</xml>', 'has an entity that nobody declared'],
      [bomb(), 'is a bomb of entities'],
      ['<a>'.repeat(17) + '</a>'.repeat(17), 'is deep'],
      [`<xml>${'<a/>'.repeat(2001)}</xml>`, 'has many elements'],
      ['<a>'.repeat(60_000), 'is deeper than any stack'],
    ].map(([text = '', why]) => [why, text] as const),
  )('is refused: it %s', (_, text) => {
    expect(readMessageFields(text)).toBeUndefined()
  })
})

describe('JSON', () => {
  it('has the same fields, whatever the case of their names', () => {
    expect(fieldsOf(' {"tousername":"ww","Encrypt":"abc=","agentid":"1"}')).toEqual({
      tousername: 'ww',
      encrypt: 'abc=',
      agentid: '1',
    })
  })

  it('keeps a MsgId of 64 bits, which JavaScript would round', () => {
    expect(fieldsOf('{"MsgId":9223372036854775807,"CreateTime":1409659813}')).toEqual({
      msgid: '9223372036854775807',
      createtime: '1409659813',
    })
  })

  it('passes by what is no text', () => {
    expect(fieldsOf('{"a":null,"b":true,"c":{"d":"x"},"e":["y"],"__proto__":"z"}')).toEqual(
      Object.fromEntries([['__proto__', 'z']]),
    )
  })

  it.each([['{'], ['{"a":1,}'], ['{"a":"x"} {}'], [`{"a":${'['.repeat(100_000)}`]])(
    'is refused (%#)',
    (text) => {
      expect(readMessageFields(text)).toBeUndefined()
    },
  )

  it('is refused or read when it is deep, and never breaks anything', () => {
    const deep = `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)},"b":"x"}`
    expect([undefined, 'x']).toContain(readMessageFields(deep)?.get('b'))
  })
})

/** Ten to the ninth power of "ha". */
function bomb(): string {
  const levels = Array.from(
    { length: 9 },
    (_, n) => `<!ENTITY e${n + 1} "${`&e${n};`.repeat(10)}">`,
  )
  return `<!DOCTYPE x [<!ENTITY e0 "ha">${levels.join('')}]><xml><A>&e9;</A></xml>`
}
