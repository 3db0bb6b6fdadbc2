// Follows a namespace with ctrip-apollo, whose options are the first argument; the namespace and its type come after.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const apollo = require('ctrip-apollo')
const say = (event, more) => console.log(JSON.stringify({ event, ...more }))
const [options, name, type] = [JSON.parse(process.argv[2]), process.argv[3], process.argv[4]]

say('version', { version: require('ctrip-apollo/package.json').version })
const app = apollo(options)
const config = app.namespace(name, type)
for (const change of ['change', 'add', 'delete', 'updated', 'fetch-error'])
  config.on(change, (seen) => say(change, seen instanceof Error ? { code: seen.code } : seen))
try {
  await config.ready()
  say('ready', { config: config.config() })
} catch (fault) {
  say('refused', { message: fault.message })
}
process.stdin.on('data', () => config.fetch(false).then(() => say('fetched', { config: config.config() })))
process.stdin.on('end', () => process.exit(0))
