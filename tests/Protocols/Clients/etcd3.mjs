// Drives etcd's interface with npm's etcd3: address, name, password, part.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { Etcd3 } = require('etcd3')
const [hosts, username, password, part] = process.argv.slice(2)
const client = new Etcd3({ hosts, ...(username ? { auth: { username, password } } : {}) })
const say = (event, seen) => console.log(JSON.stringify({ event, ...seen }))
const refused = async call => {
    try {
        await call()
        return null
    } catch (error) {
        return `${error.constructor.name}: ${error.message}`
    }
}

async function kv() {
    await client.put('app/a').value('1')
    await client.put('app/b').value('2')
    await client.put('apq').value('no')
    const one = await client.get('app/a').string()
    const none = await client.get('app/none').string()
    const all = await client.getAll().prefix('app/').strings()
    const sorted = await client.getAll().prefix('app/').sort('Key', 'Descend').keys()
    const count = await client.getAll().prefix('app/').count()
    const done = await client.if('app/a', 'Value', '==', '1').then(client.put('app/a').value('9')).commit()
    const not = await client.if('app/a', 'Value', '==', '1').then(client.put('app/a').value('8'))
        .else(client.get('app/a')).commit()
    const deleted = await client.delete().prefix('app/')
    say('kv', {
        one, none, all, sorted, count, done: done.succeeded, not: not.succeeded,
        otherwise: not.responses[0].response_range.kvs[0].value.toString(), deleted: deleted.deleted,
    })
}

async function lease() {
    const lease = client.lease(5)
    await lease.put('eph/a').value('here')
    const id = await lease.grant()
    const watcher = await client.watch().key('eph/a').create()
    const gone = new Promise(resolve => watcher.on('delete', kv => resolve(kv.key.toString())))
    const kept = await client.leaseClient.leaseTimeToLive({ ID: id, keys: true })
    await lease.revoke()
    say('lease', {
        keys: kept.keys.map(key => key.toString()), granted: kept.grantedTTL, gone: await gone,
        left: await client.get('eph/a').string(),
    })
    await watcher.cancel()
}

async function lock() {
    const held = await client.lock('jobs/nightly').ttl(5).acquire()
    const second = await refused(() => client.lock('jobs/nightly').ttl(5).acquire())
    await held.release()
    const third = await client.lock('jobs/nightly').ttl(5).acquire()
    await third.release()
    say('lock', { second })
}

// Watches a prefix and says every change; told a line, it ends.
async function watch() {
    const watcher = await client.watch().prefix('app/').create()
    watcher.on('put', kv => say('put', { key: kv.key.toString(), value: kv.value.toString(), at: kv.mod_revision }))
    watcher.on('delete', kv => say('delete', { key: kv.key.toString(), at: kv.mod_revision }))
    watcher.on('disconnected', () => say('disconnected'))
    watcher.on('connected', () => say('connected'))
    say('watching')
    process.stdin.resume()
    process.stdin.on('end', () => process.exit(0))
}

const endpoint = address => JSON.stringify({ Op: 0, Addr: address, Metadata: { zone: 'a' } })
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

// The whole life of an instance in etcd's own layout, its lease kept alive by the client.
async function naming() {
    const events = []
    const watcher = await client.watch().prefix('services/orders/').create()
    watcher.on('put', kv => events.push(`put ${kv.key}`))
    watcher.on('delete', kv => events.push(`delete ${kv.key}`))
    const lease = client.lease(2)
    await lease.put('services/orders/10.0.0.1:8080').value(endpoint('10.0.0.1:8080'))
    await pause(5000)
    const kept = await client.getAll().prefix('services/orders/').strings()
    await client.put('services/orders/10.0.0.2:8080').value(endpoint('10.0.0.2:8080'))
    const other = await client.if('services/orders/10.0.0.2:8080', 'Version', '==', 0)
        .then(client.put('services/orders/10.0.0.2:8080').value(endpoint('10.0.0.3:1'))).else(
            client.delete().key('services/orders/10.0.0.2:8080')).commit()
    await lease.revoke()
    const left = await client.getAll().prefix('services/orders/').keys()
    while (events.length < 4) await pause(20)
    say('naming', { kept, left, events, succeeded: other.succeeded })
    await watcher.cancel()
}

// Registers, says so, and keeps its lease until it is killed.
async function hold() {
    await client.lease(2).put('services/held/10.0.0.9:80').value(endpoint('10.0.0.9:80'))
    say('held')
    await new Promise(() => {})
}

const parts = { kv, naming, hold, lease, lock, watch, refused: async () => say('refused', { text: await refused(kv) }) }
parts[part]().then(() => part === 'watch' || client.close()).catch(error => {
    say('failed', { text: error.stack })
    process.exit(1)
})
