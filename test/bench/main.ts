// `npm run bench`: all benchmarks, or those named. Ratios within one run mean something; absolute figures are the machine's.
import { benchManifest } from './manifest.ts'
import { benchRestart } from './restart.ts'
import { benchUpload } from './upload.ts'

const BENCHES: Readonly<Record<string, () => Promise<unknown>>> = {
  upload: benchUpload,
  restart: benchRestart,
  manifest: () => benchManifest(),
  scan: () => import('./scan.ts'),
}

const wanted = process.argv.slice(2)
for (const name of wanted.length > 0 ? wanted : Object.keys(BENCHES)) {
  const bench = BENCHES[name]
  if (!bench)
    throw new Error(`there is no benchmark ${name}; there are ${Object.keys(BENCHES).join(', ')}`)
  await bench()
}
