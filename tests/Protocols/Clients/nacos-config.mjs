// Configurations, as the client of npm reads, publishes, follows and deletes them. Told what to do line by line.
import { createRequire } from 'node:module'
import diagnostics from 'node:diagnostics_channel'
import { createInterface } from 'node:readline'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
const { NacosConfigClient } = require('nacos')
const [server, namespace = '', credentials = '{}'] = process.argv.slice(2)
const say = (event, more = {}) => console.log(JSON.stringify({ event, ...more }))
const cacheDir = mkdtempSync(join(tmpdir(), 'nacos-'))
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

let calls = 0
diagnostics.subscribe('http.client.request.start', () => calls++)

say('version', { version: require('nacos/package.json').version })
const client = new NacosConfigClient({
  serverAddr: server, namespace, cacheDir, requestTimeout: 5000, ...JSON.parse(credentials)
})
client.on('error', failure => console.error(failure.message))
try {
  await client.ready()
  say('ready')
  for (;;) {
    const { value, done } = await lines.next()
    if (done) break
    const before = calls
    const { call, dataId, group = 'DEFAULT_GROUP', content, options } = JSON.parse(value)
    try {
      switch (call) {
        case 'get':
          say('got', { content: await client.getConfig(dataId, group) })
          break
        case 'publish':
          say('published', { answer: await client.publishSingle(dataId, group, content, options) })
          break
        case 'remove':
          say('removed', { answer: await client.remove(dataId, group) })
          break
        case 'calls':
          say('calls', { calls })
          break
        case 'subscribe':
          client.subscribe({ dataId, group }, text => say('changed', { dataId, content: text ?? null }))
          say('subscribed')
          break
      }
    } catch (failure) {
      say('refused', { message: `${failure.message}`, calls: calls - before })
    }
  }
  client.close()
  rmSync(cacheDir, { recursive: true })
  process.exit(0)
} catch (failure) {
  say('failed', { message: `${failure.stack}` })
  process.exit(1)
}
