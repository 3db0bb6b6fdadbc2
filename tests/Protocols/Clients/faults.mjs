// All clients at once, each over a port of its own, through whatever happens to the server. Each follows the service
// "kept" or the configuration "orders/application.properties" (Consul: the key "watched"); what it sees is a line.
// The argument: the port of each as JSON.
import { createRequire } from 'node:module'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
const { NacosNamingClient, NacosConfigClient } = require('nacos')
const { Eureka } = require('eureka-js-client')
const Consul = require('consul')
const apollo = require('ctrip-apollo')
const ports = JSON.parse(process.argv[2])
const host = '127.0.0.1'
const quiet = { info() {}, warn() {}, debug() {}, error() {} }
const say = (event, more = {}) => console.log(JSON.stringify({ event, ...more }))
const last = new Map()
// Only what is new: a client that looks again and again sees the same.
const seen = (who, what) => {
    const text = JSON.stringify(what)
    if (last.get(who) === text) return
    last.set(who, text)
    say('seen', { who, what })
}

say('version', Object.fromEntries(['nacos', 'eureka-js-client', 'consul', 'ctrip-apollo']
    .map(name => [name, require(`${name}/package.json`).version])))
setInterval(() => say('alive'), 5000) // Whoever listens would take silence for the end.
process.on('unhandledRejection', () => {}) // A client's own, while there is no server.

const naming = new NacosNamingClient({ logger: quiet, serverList: `${host}:${ports.nacos}`, namespace: 'public' })
await naming.ready()
naming.subscribe('kept', hosts => seen('nacos', hosts.map(one => `${one.ip}:${one.port}`).sort()))

const cacheDir = mkdtempSync(join(tmpdir(), 'nacos-'))
const configs = new NacosConfigClient({ serverAddr: `${host}:${ports.nacosConfig}`, cacheDir, requestTimeout: 5000 })
configs.on('error', () => {})
await configs.ready()
configs.subscribe({ dataId: 'application.properties', group: 'orders' }, text => seen('nacosConfig', text))

const eureka = new Eureka({
    logger: quiet,
    eureka: {
        host, port: ports.eureka, servicePath: '/eureka/apps/', registerWithEureka: false,
        registryFetchInterval: 1000, maxRetries: 0,
    },
    instance: {
        app: 'seeker', instanceId: 'seeker', hostName: host, ipAddr: host, vipAddress: 'seeker',
        port: { $: 1, '@enabled': true },
        dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
    },
})
eureka.on('registryUpdated', () => {
    const found = eureka.getInstancesByAppId('kept') ?? []
    seen('eureka', found.map(one => `${one.ipAddr}:${one.port.$}`).sort())
})
eureka.start(() => {})

const follow = (port, method, options, what) => {
    const client = new Consul({ host, port })
    const watch = client.watch({ method: method(client), options, backoffFactor: 200, maxAttempts: 1000000 })
    watch.on('change', what)
    watch.on('error', () => {}) // It tries again by itself.
}
follow(ports.consul, client => client.health.service, { service: 'kept', passing: true, wait: '20s' }, entries =>
    seen('consul', entries.map(one => `${one.Service.Address}:${one.Service.Port}`).sort()))
follow(ports.consulKey, client => client.kv.get, { key: 'watched', wait: '20s' }, entry =>
    seen('consulKey', entry?.Value ?? ''))

const orders = apollo({ host: `http://${host}:${ports.apollo}/apollo`, appId: 'orders' })
const application = orders.namespace('application')
application.on('updated', ({ newConfig }) => seen('apollo', newConfig.version))
application.on('fetch-error', () => {})
await application.ready()
seen('apollo', application.config().version)

say('ready')
process.stdin.on('data', () => {}).on('end', () => process.exit(0))
