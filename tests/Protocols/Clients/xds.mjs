// Drives the discovery service with npm's @grpc/grpc-js-xds: address, what the client says of itself as JSON. Lines of
// JSON on the standard input are things to do; what comes of each is a line.
const [server, node] = process.argv.slice(2)
process.env.GRPC_XDS_BOOTSTRAP_CONFIG = JSON.stringify({
    xds_servers: [{ server_uri: server, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] }],
    node: JSON.parse(node),
})
const { createRequire } = await import('node:module')
const { createInterface } = await import('node:readline')
const require = createRequire(import.meta.url)
const grpc = require('@grpc/grpc-js')
require('@grpc/grpc-js-xds').register()

const say = (event, more = {}) => console.log(JSON.stringify({ event, ...more }))
const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds))
const asIs = bytes => bytes
const method = {
    path: '/test.Echo/Name', requestStream: false, responseStream: false,
    requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs,
}
const servers = new Map() // By port.
const clients = new Map() // By service.
const seen = { ports: {}, failures: [] } // Of the calls that go on all the time.

// A server of gRPC that answers with its port.
const serve = () => new Promise((resolve, reject) => {
    const one = new grpc.Server()
    one.addService({ Name: method }, { Name: (call, answer) => answer(null, Buffer.from(`${one.port}`)) })
    one.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (failure, port) => {
        if (failure) return reject(failure)
        one.port = port
        servers.set(port, one)
        resolve({ port })
    })
})
const stop = ({ port }) => new Promise(resolve => servers.get(port).tryShutdown(() => resolve({})))
const open = service => {
    if (!clients.has(service))
        clients.set(service, new grpc.Client(`xds:///${service}`, grpc.credentials.createInsecure()))
    return clients.get(service)
}
const call = (service, seconds = 10) => new Promise(resolve => open(service).makeUnaryRequest(
    method.path, asIs, asIs, Buffer.from(''), new grpc.Metadata(), { deadline: Date.now() + seconds * 1000 },
    (failure, answer) => resolve(failure ? { failure: `${failure.code} ${failure.details}` } : { port: `${answer}` })))
const calls = async ({ service, count, seconds }) => {
    const ports = {}
    const failures = []
    for (let at = 0; at < count; at++) {
        const { port, failure } = await call(service, seconds)
        if (port) ports[port] = (ports[port] ?? 0) + 1
        else failures.push(failure)
    }
    return { ports, failures }
}
// Calls without an end; what they came to is told and forgotten when asked for.
const flow = async ({ service }) => {
    while (true) {
        const { port, failure } = await call(service)
        if (port) seen.ports[port] = (seen.ports[port] ?? 0) + 1
        else seen.failures.push(failure)
        await pause(5)
    }
}
const flown = () => {
    const told = { ports: seen.ports, failures: seen.failures }
    seen.ports = {}
    seen.failures = []
    return told
}
const todo = { serve, stop, calls, flown, flow: asked => { void flow(asked); return {} } }

say('version', Object.fromEntries(['@grpc/grpc-js', '@grpc/grpc-js-xds']
    .map(name => [name, require(`${name}/package.json`).version])))
for await (const line of createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line)
    try {
        say('done', await todo[asked.do](asked))
    } catch (failure) {
        say('failed', { text: failure.stack })
    }
}
process.exit(0)
