// Counts what a program holds at this moment, from outside: through the inspector, after a collection of garbage, and from /proc. So
// no hook in the program is needed, and nothing can be held that is not counted: a map that never forgets, a listener that is
// never taken away, a timer, a promise that nobody settles, a file, a watch.
import { readdir, readFile, readlink } from 'node:fs/promises'

/** A word with the inspector of a program: this one's own, or another's. */
export type Post = <Answer>(method: string, params?: object) => Promise<Answer>

/** How much of each thing is held. */
export type Census = Readonly<Record<keyof typeof COUNTED | OutsideFigure, number>>

type OutsideFigure = 'rssMB' | 'files' | 'watches'

interface Remote<Value> {
  readonly result: { readonly objectId?: string; readonly value?: Value }
  readonly exceptionDetails?: { readonly exception?: { readonly description?: string } }
}

/** What one living object counts for in each figure; expressions over `one`. */
const COUNTED = {
  objects: '1',
  functions: "typeof one === 'function' ? 1 : 0",
  promises: 'types.isPromise(one) ? 1 : 0',
  'map entries': 'types.isMap(one) ? one.size : 0',
  'set entries': 'types.isSet(one) ? one.size : 0',
  'array slots': 'Array.isArray(one) ? one.length : 0',
  timers: 'one instanceof Timeout && !one._destroyed ? 1 : 0',
  // What has never had a listener, prototypes above all, cannot be asked.
  listeners:
    'one instanceof Emitter && one._events ? one.eventNames().reduce((sum, name) => sum + one.listenerCount(name), 0) : 0',
  'abort signals': 'one instanceof AbortSignal ? 1 : 0',
  'abort listeners':
    "one instanceof AbortSignal && one !== AbortSignal.prototype ? Emitter.getEventListeners(one, 'abort').length : 0",
  heapMB: '0',
} as const

const COUNT_ALL = `function () {
  const { types } = process.getBuiltinModule('node:util')
  const Emitter = process.getBuiltinModule('node:events')
  const sample = setTimeout(() => {}, 0)
  const Timeout = sample.constructor
  clearTimeout(sample)
  const sums = { ${Object.keys(COUNTED)
    .map((name) => `'${name}': 0`)
    .join(', ')} }
  for (const one of this) {
    ${Object.entries(COUNTED)
      .map(([name, expression]) => `sums['${name}'] += ${expression}`)
      .join('\n    ')}
  }
  return { ...sums, heapMB: process.memoryUsage().heapUsed / 2 ** 20 }
}`

/** Takes the census of the program that `post` speaks to, and that has this pid. */
export async function takeCensus(post: Post, pid: number): Promise<Census> {
  // First: a program that was stopped for its census may set up anew what it no longer trusts, its watches for example.
  const outside = await lookOutside(pid)
  // What a finaliser lets go of goes with the collection of the query itself.
  await post('HeapProfiler.collectGarbage')
  const objectGroup = 'census'
  const prototype = await post<Remote<never>>('Runtime.evaluate', {
    expression: 'Object.prototype',
    objectGroup,
  })
  const all = await post<{ objects: { objectId: string } }>('Runtime.queryObjects', {
    prototypeObjectId: prototype.result.objectId,
    objectGroup,
  })
  const { result, exceptionDetails } = await post<Remote<Record<keyof typeof COUNTED, number>>>(
    'Runtime.callFunctionOn',
    { objectId: all.objects.objectId, functionDeclaration: COUNT_ALL, returnByValue: true },
  )
  await post('Runtime.releaseObjectGroup', { objectGroup })
  if (!result.value) throw new Error(`cannot count: ${exceptionDetails?.exception?.description}`)
  return { ...result.value, ...outside }
}

/** The same figures from outside alone: cheap, and possible at any moment. */
export async function lookOutside(pid: number): Promise<Readonly<Record<OutsideFigure, number>>> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const rssMB = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
  let [files, watches] = [0, 0]
  for (const name of await readdir(`/proc/${pid}/fd`)) {
    try {
      const target = await readlink(`/proc/${pid}/fd/${name}`)
      files++
      if (!target.includes('inotify')) continue
      const facts = await readFile(`/proc/${pid}/fdinfo/${name}`, 'utf8')
      watches += facts.split('\n').filter((line) => line.startsWith('inotify wd:')).length
    } catch (error) {
      // Closed between the two looks.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return { rssMB, files, watches }
}
