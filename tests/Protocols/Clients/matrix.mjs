// Every client in turn, for the matrix of who registers and who discovers. A line of JSON on the standard input is one
// thing to do: {"do": "register" | "deregister" | "find" | "see" | "follow", "protocol", "service", "port"}; what comes
// of it is a line. To find is to find whom to call; to see, to be told of all there are, with their names and states.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const require = createRequire(import.meta.url)
const { NacosNamingClient } = require('nacos')
const { Eureka } = require('eureka-js-client')
const Consul = require('consul')
const { Etcd3 } = require('etcd3')
const [host, port, discovery, key] = process.argv.slice(2)
process.env.GRPC_XDS_BOOTSTRAP_CONFIG = JSON.stringify({
    xds_servers: [{ server_uri: discovery, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] }],
    node: { id: 'matrix', locality: {} },
})
const { experimental } = require('@grpc/grpc-js')
const xds = require('@grpc/grpc-js-xds')
xds.register()
const quiet = { info() {}, warn() {}, debug() {}, error(...what) { console.error(...what) } }
const say = (event, more = {}) => console.log(JSON.stringify({ event, ...more }))
const called = work => new Promise((resolve, reject) => work(error => (error ? reject(error) : resolve())))
const held = new Map() // What keeps a registration alive, by protocol and service.

const consul = new Consul({ host, port: Number(port) })
const etcd = new Etcd3({ hosts: `http://${discovery}`, auth: { username: 'matrix', password: key } })
const nacos = new NacosNamingClient({ logger: quiet, serverList: `${host}:${port}`, namespace: 'public' })

const eureka = (instance, fetches, filterUpInstances = true) => new Eureka({
    logger: quiet,
    eureka: {
        host, port: Number(port), servicePath: '/eureka/apps/', fetchRegistry: fetches, registerWithEureka: !fetches,
        heartbeatInterval: 5000, registryFetchInterval: 600000, filterUpInstances,
    },
    instance,
})
const about = (service, instancePort) => ({
    app: service, vipAddress: service, instanceId: `127.0.0.1:${instancePort}`, hostName: '127.0.0.1',
    ipAddr: '127.0.0.1',
    port: { $: instancePort, '@enabled': true }, status: 'UP',
    dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
    leaseInfo: { renewalIntervalInSecs: 5, durationInSecs: 60 },
})

// What the client of xDS has resolved a name to; it goes on doing so, since the first answer may say that nobody is.
const resolved = async service => {
    if (!held.has(`xds ${service}`)) {
        const found = { endpoints: [] }
        const take = (_, attributes) => {
            const config = attributes[`${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.xds_config`]
            const places = config?.clusters.get(service)?.value?.children.endpoints?.priorities
                .flatMap(priority => priority.localities) ?? []
            found.endpoints = places.flatMap(place => place.endpoints)
                .flatMap(({ endpoint }) => endpoint.addresses.map(at => `${at.host}:${at.port}`))
            return true
        }
        held.set(`xds ${service}`, found)
        found.resolver = experimental.createResolver({ scheme: 'xds', path: service }, take, {})
        found.resolver.updateResolution()
    }
    await new Promise(resolve => setTimeout(resolve, 50))
    return held.get(`xds ${service}`).endpoints
}

const protocols = {
    xds: { find: resolved, see: async service => (await resolved(service)).map(one => `${one} HEALTHY`) },
    nacos: {
        register: (service, at) => nacos.registerInstance(service, { ip: '127.0.0.1', port: at }),
        deregister: (service, at) => nacos.deregisterInstance(service, { ip: '127.0.0.1', port: at }),
        find: async service => (await nacos.selectInstances(service, undefined, '', true, false))
            .map(one => `${one.ip}:${one.port}`),
        see: async service => (await nacos.getAllInstances(service, undefined, '', false))
            .map(one => `${one.instanceId} healthy=${one.healthy}, enabled=${one.enabled}`),
        follow: service => new Promise(resolve => nacos.subscribe({ serviceName: service }, resolve)).then(() => null),
    },
    eureka: {
        register: (service, at) => {
            const client = eureka(about(service, at), false)
            held.set(`eureka ${service}`, client)
            return called(done => client.start(done))
        },
        deregister: service => called(done => held.get(`eureka ${service}`).stop(done)),
        find: async service => {
            const client = eureka(about('seeker', 1), true)
            await called(done => client.fetchRegistry(done))
            return client.getInstancesByAppId(service).map(one => `${one.ipAddr}:${one.port.$}`)
        },
        see: async service => {
            const client = eureka(about('seeker', 1), true, false)
            await called(done => client.fetchRegistry(done))
            return client.getInstancesByAppId(service).map(one => `${one.instanceId} ${one.status}`)
        },
    },
    etcd: {
        register: async (service, at) => {
            const lease = etcd.lease(5)
            held.set(`etcd ${service}`, lease)
            await lease.put(`services/${service}/127.0.0.1:${at}`)
                .value(JSON.stringify({ Op: 0, Addr: `127.0.0.1:${at}`, Metadata: null }))
        },
        deregister: service => held.get(`etcd ${service}`).revoke(),
        find: async service => Object.values(await etcd.getAll().prefix(`services/${service}/`).strings())
            .map(value => JSON.parse(value).Addr),
        see: async service => (await etcd.getAll().prefix(`services/${service}/`).keys()).map(key => `${key} put`),
        follow: async service => {
            held.set(`watch etcd ${service}`, await etcd.watch().prefix(`services/${service}/`).create())
            return null
        },
    },
    consul: {
        register: async (service, at) => {
            const id = `${service}-${at}`
            await consul.agent.service.register(
                { name: service, id, address: '127.0.0.1', port: at, check: { ttl: '60s' } })
            await consul.agent.check.pass(`service:${id}`)
        },
        deregister: (service, at) => consul.agent.service.deregister(`${service}-${at}`),
        find: async service => (await consul.health.service({ service, passing: true }))
            .map(one => `${one.Service.Address}:${one.Service.Port}`),
        see: async service => (await consul.health.service({ service })).map(one => {
            const statuses = one.Checks.map(check => check.Status)
            const worst = ['critical', 'warning'].find(status => statuses.includes(status)) ?? 'passing'
            return `${one.Service.ID} ${worst}`
        }),
        follow: service => new Promise(resolve => {
            const watch = consul.watch({ method: consul.health.service, options: { service } })
            watch.once('change', () => resolve(null))
            held.set(`watch ${service}`, watch)
        }),
    },
}

say('version', Object.fromEntries(['nacos', 'eureka-js-client', 'consul', 'etcd3', '@grpc/grpc-js-xds']
    .map(name => [name, require(`${name}/package.json`).version])))
await nacos.ready()
say('ready')
for await (const line of createInterface({ input: process.stdin })) {
    const { do: what, protocol, service, port: at } = JSON.parse(line)
    try {
        say('done', { found: (await protocols[protocol][what](service, at)) ?? null })
    } catch (failure) {
        // eureka-js-client throws where an application is not there.
        say('done', { found: [], problem: `${failure.stack ?? failure}` })
    }
}
process.exit(0)
