// The whole life of an instance, as the client of npm leads it. Arguments: the server, and whether to wait for beats.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const require = createRequire(import.meta.url)
const { NacosNamingClient } = require('nacos')
const [server, namespace = 'public', credentials = '{}'] = process.argv.slice(2)
const say = (event, more = {}) => console.log(JSON.stringify({ event, ...more }))
const quiet = { info() {}, warn() {}, debug() {}, error(...what) { console.error(...what) } }
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const shown = hosts => hosts.map(({ ip, port, weight, healthy, enabled, clusterName, metadata }) =>
  ({ ip, port, weight, healthy, enabled, clusterName, metadata }))

say('version', { version: require('nacos/package.json').version })
const client = new NacosNamingClient({ logger: quiet, serverList: server, namespace, ...JSON.parse(credentials) })
try {
  await client.ready()
  say('ready', { status: await client.getServerStatus() })
  for (;;) {
    const { value, done } = await lines.next()
    if (done) break
    const { call, service, instance, group } = JSON.parse(value)
    switch (call) {
      case 'register':
        await client.registerInstance(service, instance, group)
        break
      case 'deregister':
        await client.deregisterInstance(service, instance, group)
        break
      case 'all':
        say('all', { hosts: shown(await client.getAllInstances(service, group, '', false)) })
        break
      case 'select':
        say('select', { hosts: shown(await client.selectInstances(service, group, '', true, false)) })
        break
      case 'subscribe':
        client.subscribe({ serviceName: service, groupName: group }, hosts => say('hosts', { hosts: shown(hosts) }))
        break
    }
    say(`did-${call}`)
  }
  await client.close()
  process.exit(0)
} catch (failure) {
  say('failed', { message: `${failure.stack}` })
  process.exit(1)
}
