import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { printed, problemsOf, REQUIRED, read, refusal } from './reading.ts'

/** Each line is added below a file that is right, so it stands on line 3. */
const ONE_PROBLEM: [line: string, column: number, key: string, message: string | RegExp][] = [
  // unknown keys
  ['floder: {}', 1, 'floder', 'unknown key `floder`: did you mean `folder`?'],
  ['settle: 1s', 1, 'settle', 'unknown key `settle`: did you mean `folder.settle`?'],
  ['log: { levle: info }', 8, 'log.levle', 'unknown key `levle` in `log`: did you mean `level`?'],
  ['banana: 1', 1, 'banana', /^unknown key `banana`; known here: `wecom`, `folder`, /],
  ['<<: { a: 1 }', 1, '', /^unknown key; known here: /],
  ['__proto__: { a: 1 }', 1, '', /^unknown key; known here: /],
  // wrong forms
  ['log: 5', 6, 'log', '`log`: expected a mapping of keys to values, got the number 5'],
  ['log: []', 6, 'log', '`log`: expected a mapping of keys to values, got a list'],
  [
    'log: { level: loud }',
    15,
    'log.level',
    '`log.level`: expected one of `error`, `warn`, `info`, `debug`, got `loud`',
  ],
  ['log: { level: [info] }', 15, 'log.level', /^`log.level`: expected one of .*, got a list$/],
  [
    'renewal: { spread: 90 }',
    20,
    'renewal.spread',
    '`renewal.spread`: expected a duration such as `90s`, `12h` or `3d`, got the number 90',
  ],
  [
    'renewal: { before: 5 minutes }',
    20,
    'renewal.before',
    /expected a duration .*, at least 1ms, got `5 minutes`$/,
  ],
  [
    'renewal: { lifetime: 0s }',
    22,
    'renewal.lifetime',
    /expected a duration .*, at least 1s, got `0s`$/,
  ],
  ['renewal: { spread: -1s }', 20, 'renewal.spread', /expected a duration/],
  ['renewal: { spread: 9999d }', 20, 'renewal.spread', /expected a duration/],
  [
    'renewal: { schedule: "* * * *" }',
    22,
    'renewal.schedule',
    /expected a cron expression of five fields .*, got `\* \* \* \*`$/,
  ],
  ['restore: { schedule: "61 * * * *" }', 22, 'restore.schedule', /expected a cron expression/],
  ['audit: { schedule: "@daily" }', 20, 'audit.schedule', /expected a cron expression/],
  [
    'restore: { schedule: 5 }',
    22,
    'restore.schedule',
    /expected a cron expression .*, got the number 5$/,
  ],
  [
    'audit: { sample: 1.5 }',
    18,
    'audit.sample',
    '`audit.sample`: expected a whole number from 0 to 10000, got the number 1.5',
  ],
  ['audit: { sample: -1 }', 18, 'audit.sample', /expected a whole number from 0 to 10000/],
  ['transfer: { uploads: 0 }', 22, 'transfer.uploads', /expected a whole number from 1 to 100/],
  ['transfer: { uploads: many }', 22, 'transfer.uploads', /, got `many`$/],
  ['transfer: { uploads: .inf }', 22, 'transfer.uploads', /expected a whole number/],
  [
    'transfer: { bandwidth: 5 }',
    24,
    'transfer.bandwidth',
    '`transfer.bandwidth`: expected `unlimited` or a size per second such as `5MB`, at least 1 KB, got the number 5',
  ],
  [
    'references: { renew: yes }',
    22,
    'references.renew',
    '`references.renew`: expected `true` or `false`, got `yes`',
  ],
  [
    'references: { files: x.json }',
    22,
    'references.files',
    '`references.files`: expected a list, got `x.json`',
  ],
  ['references: { files: [1] }', 23, 'references.files[0]', /expected a reference file: a path/],
  [
    'references: { inbox: "../{name}" }',
    22,
    'references.inbox',
    /expected a path inside the folder/,
  ],
  [
    'references: { inbox: inbox }',
    22,
    'references.inbox',
    /`\{name\}` in its last part .*, got `inbox`$/,
  ],
  [
    'state: postgres://u:pw@h/d',
    8,
    'state',
    '`state`: expected a directory (`postgres://…` is not available yet), got other text',
  ],
  ['state: ~/state', 8, 'state', /expected a directory/],
  [
    'http: true',
    7,
    'http',
    '`http`: expected `false`, or a mapping with `listen` and `token`, got `true`',
  ],
  ['http: { listen: 8787 }', 17, 'http.listen', /expected `host:port` such as/],
  [
    'http: { listne: "127.0.0.1:1" }',
    9,
    'http.listne',
    'unknown key `listne` in `http`: did you mean `listen`?',
  ],
  [
    'http: { token: { file: a, env: B } }',
    16,
    'http.token',
    '`http.token`: expected exactly one of `file`, `env` and `credential`, got a mapping',
  ],
  ['http: { token: {} }', 16, 'http.token', /expected exactly one of/],
  [
    'http: { token: { file: 1 } }',
    24,
    'http.token.file',
    /^`http.token.file`: expected the file that holds the secret/,
  ],
  [
    'http: { token: { env: A-B } }',
    23,
    'http.token.env',
    /expected the name of an environment variable, got other text$/,
  ],
  [
    'http: { token: { credential: ../x } }',
    30,
    'http.token.credential',
    /expected the name of a systemd credential/,
  ],
  // impossible together
  [
    'state: /srv/media',
    8,
    'state',
    /^`state` \(`\/srv\/media`\) must not lie inside `folder.path`/,
  ],
  ['state: /srv/media/.state', 8, 'state', /must not lie inside `folder.path`/],
  ['state: ../../srv/x/../media/deep/er', 8, 'state', /must not lie inside `folder.path`/],
  [
    'renewal: { before: 70h }',
    20,
    'renewal.before',
    /^`renewal.before` \+ `renewal.spread` \(2d 22h \+ 8h\) must be less than `renewal.lifetime` \(3d\)/,
  ],
  ['renewal: { spread: 48h }', 20, 'renewal.spread', /\(1d \+ 2d\) must be less than/],
  [
    'renewal: { lifetime: 4d }',
    22,
    'renewal.lifetime',
    '`renewal.lifetime` (4d) cannot exceed 3d: WeCom deletes every medium three days after its upload',
  ],
  [
    'http: { listen: "0.0.0.0:80" }',
    17,
    'http.listen',
    /is open to other machines, which demands `http.token`/,
  ],
  [
    'http: { token: { file: /srv/media/t } }',
    24,
    'http.token.file',
    /must not lie inside `folder.path`, or the secret would be uploaded/,
  ],
  [
    `callback: { token: a, encodingAesKey: ${'k'.repeat(43)}, listen: "127.0.0.1:8787" }`,
    92,
    'callback.listen',
    /cannot be the same address/,
  ],
  [
    `callback: { token: a, encodingAesKey: ${'k'.repeat(43)}, listen: "0.0.0.0:8787" }`,
    92,
    'callback.listen',
    /cannot be the same address/,
  ],
  [
    `callback: { token: a, encodingAesKey: ${'k'.repeat(43)}, listen: "unix:./state/callback.sock" }`,
    92,
    'callback.listen',
    /cannot be in the state directory/,
  ],
  // YAML itself
  ['folder: { path: /m }', 1, '', 'this key stands twice in its mapping: remove one'],
  ['log: { level: "info }', 15, '', /^this is not YAML: /],
  ['log: { level: info', 6, '', /^this is not YAML: /],
  ['\tlog: {}', 1, '', 'this is not YAML: a tab cannot indent: use spaces'],
  ['log：{ level: info }', 1, '', /^this is not YAML: a full-width `：` is no colon here/],
  ['log: !loud {}', 6, '', /^this is not YAML: tags such as/],
  [
    'restore: { schedule: */5 * * * * }',
    22,
    '',
    'a value that begins with `*` must stand in quotes, such as "*/5 * * * *"',
  ],
  ['log: *log', 6, '', /^a value that begins with `\*`/],
  ['{{log}}: 1', 1, '', /^this is not YAML: a key must be a single word/],
]

describe('one problem', () => {
  it.each(ONE_PROBLEM)('`%s` is reported at column %d', (line, column, key, message) => {
    const problems = problemsOf(`${REQUIRED}${line}\n`)
    expect(problems).toEqual([
      {
        file: 'config.yaml',
        line: 3,
        column,
        message: typeof message === 'string' ? message : expect.stringMatching(message),
        ...(key === '' ? {} : { key }),
      },
    ])
  })

  const WECOM: [line: string, key: string, message: RegExp][] = [
    ['corpId: ""', 'wecom.corpId', /expected the id of the corp/],
    ['corpId: 12', 'wecom.corpId', /expected the id of the corp.*, got the number 12$/],
    ['corpId: "ww 1"', 'wecom.corpId', /expected the id of the corp/],
    ['baseUrl: ftp://x', 'wecom.baseUrl', /expected an http or https address/],
    ['baseUrl: simulators', 'wecom.baseUrl', /, got `simulators`$/],
    [
      'baseUrl: https://u:p@x',
      'wecom.baseUrl',
      /expected an http or https address.*got other text$/,
    ],
    ['baseUrl: https://x?a=1', 'wecom.baseUrl', /expected an http or https address/],
    ['baseUrl: "https://"', 'wecom.baseUrl', /expected an http or https address/],
    ['proxy: socks5://p:1', 'wecom.proxy', /expected an address such as `http:\/\/proxy:3128`/],
    ['proxy: proxy:3128', 'wecom.proxy', /expected an address/],
    [
      'quota: { share: 0 }',
      'wecom.quota.share',
      /expected a share above 0 and at most 1.*the number 0$/,
    ],
    ['quota: { share: 150% }', 'wecom.quota.share', /, got `150%`$/],
    ['quota: { perMinute: 0 }', 'wecom.quota.perMinute', /from 1 to 1000000/],
    ['limits: wecon', 'wecom.limits', /expected `wecom`, `enterprise-account`, or a mapping/],
    [
      'limits: { image: { maxSize: 10 } }',
      'wecom.limits.image.maxSize',
      /expected a size such as `10MB`/,
    ],
    ['limits: { image: { maxSize: 5B } }', 'wecom.limits.image.maxSize', /at least 6 B, got `5B`$/],
    [
      'limits: { image: { formats: jpg } }',
      'wecom.limits.image.formats',
      /expected `any`, or a list/,
    ],
    [
      'limits: { image: { formats: [.JPG] } }',
      'wecom.limits.image.formats[0]',
      /expected a format such as `jpg`/,
    ],
    [
      'limits: { image: { formats: [] } }',
      'wecom.limits.image.formats',
      /expected `any`, or a list/,
    ],
    [
      'limits: { image: { maxDuration: 5s } }',
      'wecom.limits.image.maxDuration',
      /unknown key `maxDuration`/,
    ],
    ['limits: { images: {} }', 'wecom.limits.images', /did you mean `image`\?$/],
    [
      'limits: { voice: { maxDuration: 60 } }',
      'wecom.limits.voice.maxDuration',
      /expected a duration/,
    ],
  ]

  it.each(WECOM)('`%s` is reported in `wecom`', (line, key, message) => {
    const required = line.startsWith('corpId') ? '' : 'corpId: ww1\n  '
    const problems = problemsOf(`wecom:\n  ${required}secret: s\n  ${line}\nfolder: { path: /m }\n`)
    expect(problems).toEqual([
      expect.objectContaining({
        key,
        line: required ? 4 : 3,
        message: expect.stringMatching(message),
      }),
    ])
  })

  const FOLDER: [line: string, key: string, message: RegExp][] = [
    ['path: ~/media', 'folder.path', /neither `~` nor variables are expanded/],
    ['path: $HOME/media', 'folder.path', /neither `~` nor variables are expanded/],
    ['path: 5', 'folder.path', /expected the folder to mirror/],
    ['path:', 'folder.path', /^`folder.path` is required/],
    ['path: ""', 'folder.path', /expected the folder to mirror/],
    ['path: /etc', 'folder.path', /must not hold this configuration file/],
    ['path: /m\n  rescan: 10ms', 'folder.rescan', /at least 1s/],
    [
      'path: /m\n  onDelete: ignore',
      'folder.onDelete',
      /expected one of `restore`, `forget`, got `ignore`/,
    ],
    [
      'path: /m\n  rules: [{ match: a, type: audio }]',
      'folder.rules[0].type',
      /`image`, `voice`, `video`, `file`, got `audio`$/,
    ],
    [
      'path: /m\n  rules: [{ match: a }]',
      'folder.rules[0].type',
      /^`folder.rules\[0\].type` is required/,
    ],
    [
      'path: /m\n  rules: [{ glob: a, match: a, type: file }]',
      'folder.rules[0].glob',
      /unknown key `glob` in `folder.rules\[0\]`/,
    ],
    ['path: /m\n  ignore: [""]', 'folder.ignore[0]', /expected a glob/],
    ['path: /m\n  downgrade: "true"', 'folder.downgrade', /expected `true` or `false`/],
  ]

  it.each(FOLDER)('`%s` is reported in `folder`', (lines, key, message) => {
    const problems = problemsOf(
      `wecom: { corpId: ww1, secret: s }\nstate: /s\nfolder:\n  ${lines}\n`,
    )
    expect(problems).toEqual([
      expect.objectContaining({
        key,
        line: lines.includes('\n') ? 5 : 4,
        message: expect.stringMatching(message),
      }),
    ])
  })

  it('of a state that lies in the folder by default points at the folder', () => {
    const [problem, ...others] = refusal(
      'wecom: { corpId: a, secret: b }\nfolder: { path: /var/lib }',
      {
        STATE_DIRECTORY: '/var/lib/mirror',
      },
    ).problems
    expect(problem).toMatchObject({ key: 'state', line: 2, column: 17 })
    expect(problem?.message).toContain('(`/var/lib/mirror`, by default,)')
    expect(others).toEqual([])
  })
})

describe('what is no problem', () => {
  it.each([
    'state: /srv/media-state',
    'state: /srv/..media',
    'renewal: { before: 63h }',
    'http: { listen: "0.0.0.0:80", token: { env: TOKEN } }',
    'http: { token: { file: /srv/media/.secrets/t } }',
  ])('%s', (line) => expect(read(`${REQUIRED}${line}`)).toBeDefined())

  it('is a longer life, where the service is one’s own', () => {
    const text =
      'wecom: { corpId: a, secret: b, baseUrl: http://wx.corp }\nfolder: { path: /m }\nrenewal: { lifetime: 4d }'
    expect(read(text).renewal.lifetimeMs).toBe(4 * 86_400_000)
  })
})

describe('several problems', () => {
  it('are reported at once, in the order of the file', () => {
    const text = `wecom:
  corpid: ww1
  quota: { share: 2 }
folder:
  path: /srv/media
  settle: 5
  rules:
    - { match: "v/**", type: audio }
state: /srv/media/state
renewal: { before: 71h, schedule: never }
renewal: { before: 71h, schedule: never }
`
    expect(printed(text).split('\n')).toEqual([
      expect.stringMatching(/^config\.yaml:1:1: `wecom\.corpId` is required: /),
      expect.stringMatching(/^config\.yaml:1:1: `wecom\.secret` is required: /),
      'config.yaml:2:3: unknown key `corpid` in `wecom`: did you mean `corpId`?',
      expect.stringMatching(/^config\.yaml:3:19: `wecom\.quota\.share`: expected a share/),
      expect.stringMatching(/^config\.yaml:6:11: `folder\.settle`: expected a duration/),
      expect.stringMatching(/^config\.yaml:8:30: `folder\.rules\[0\]\.type`: expected one of/),
      expect.stringMatching(/^config\.yaml:9:8: `state` .* must not lie inside/),
      'config.yaml:11:1: this key stands twice in its mapping: remove one',
      expect.stringMatching(/^config\.yaml:11:20: `renewal\.before` \+ `renewal\.spread`/),
      expect.stringMatching(/^config\.yaml:11:35: `renewal\.schedule`: expected a cron expression/),
      'cannot use the configuration `config.yaml`: 10 problems',
    ])
  })

  it('of the grammar are reported once for each line', () => {
    expect(problemsOf('a: b: c: d\ne: [1\nf: "\\q"\n').map(({ line }) => line)).toEqual([1, 3])
  })

  it.each(['\r\n', '\n'])('are counted in lines ending in %j', (end) => {
    expect(
      problemsOf(`${REQUIRED}log: 1\nhttp: 2\n`.replaceAll('\n', end)).map(({ line }) => line),
    ).toEqual([3, 4])
  })
})

describe('what is no configuration at all', () => {
  it.each([
    [
      '',
      'the file is empty: at least `wecom.corpId`, `wecom.secret` and `folder.path` are required',
    ],
    ['# only a comment\n', /^the file is empty/],
    ['- a\n', 'expected keys and values such as `folder:`, got a list'],
    ['hello\n', 'expected keys and values such as `folder:`, got a single value'],
    ['42', /got a single value$/],
    ['a: 1\n---\nb: 2\n', 'this is not YAML: a second document begins; remove the `---`'],
    ['['.repeat(50_000), 'this is not YAML: it is nested too deeply'],
  ])('is refused, and told why (%#)', (text, message) => {
    const [problem] = problemsOf(text)
    expect(problem).toMatchObject({
      line: expect.any(Number),
      column: expect.any(Number),
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    })
  })

  it('another program’s large file is refused in few words', () => {
    const text = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n')
    expect(problemsOf(text).length).toBeLessThan(60)
    expect(printed(text)).toContain(
      '19950 more unknown keys: is this a configuration of wecom-media-mirror?',
    )
  })

  const pieces = fc.constantFrom(
    ...['wecom', 'folder', 'path', 'secret', 'rules', 'limits', 'http', 'state', '__proto__', 'x'],
    ...[
      ': ',
      ':',
      '\n',
      '\n  ',
      '\n    ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      ',',
      '"',
      "'",
      '&a ',
      '*a',
      '!t ',
    ],
    ...[
      '|',
      '>',
      '#',
      '%',
      '? ',
      '<<: ',
      '---',
      '\t',
      '\r',
      '\0',
      '\ufeff',
      '1',
      '.nan',
      '~',
      '3d',
      '汉',
    ],
  )

  it('garbage gives a ConfigError and nothing else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pieces, { maxLength: 40 }).map((all) => all.join('')),
          fc.string(),
        ),
        (text) => {
          expect(() => read(text)).toThrow(ConfigError)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('any value at any key gives a Config or a ConfigError', () => {
    const keys = fc.constantFrom(
      'wecom',
      'folder',
      'state',
      'renewal',
      'references',
      'callback',
      'transfer',
      'http',
      'log',
    )
    fc.assert(
      fc.property(keys, fc.jsonValue({ maxDepth: 4 }), (key, value) => {
        try {
          read(
            JSON.stringify({
              wecom: { corpId: 'a', secret: 'b' },
              folder: { path: '/m' },
              [key]: value,
            }),
          )
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError)
        }
      }),
      { numRuns: 500 },
    )
  })
})
