// Drives Consul's KV, sessions, locks and transactions: port, access key, part.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const Consul = require('consul')
const [port, token, part] = process.argv.slice(2)
const consul = new Consul({ host: '127.0.0.1', port, defaults: { token } })
// The client hands a body of false on as undefined.
const yes = async sent => (await sent) === true
const say = (event, seen) => console.log(JSON.stringify({ event, ...seen }))
const refused = async call => {
    try {
        await call()
        return null
    } catch (error) {
        return { status: error.statusCode ?? error.response?.statusCode ?? 0, text: error.message }
    }
}

async function kv() {
    const missing = await consul.kv.get('config/none')
    const set = await yes(consul.kv.set('config/a b', 'one'))
    await consul.kv.set({ key: 'config/deep/c', value: 'two', flags: 42 })
    await consul.kv.set('config/deep/%2F', 'three')
    const one = await consul.kv.get('config/a b')
    const tree = await consul.kv.get({ key: 'config/', recurse: true })
    const keys = await consul.kv.keys('config/')
    const folders = await consul.kv.keys({ key: 'config/', separator: '/' })
    const raw = await consul.kv.get({ key: 'config/a b', raw: true })
    const casNew = await yes(consul.kv.set({ key: 'config/cas', value: '1', cas: 0 }))
    const casAgain = await yes(consul.kv.set({ key: 'config/cas', value: '2', cas: 0 }))
    const at = (await consul.kv.get('config/cas')).ModifyIndex
    const casRight = await yes(consul.kv.set({ key: 'config/cas', value: '3', cas: at }))
    const casWrong = await yes(consul.kv.set({ key: 'config/cas', value: '4', cas: at }))
    const delWrong = await yes(consul.kv.del({ key: 'config/cas', cas: at }))
    const delTree = await yes(consul.kv.del({ key: 'config/deep/', recurse: true }))
    const left = await consul.kv.keys('config/')
    const noKeys = await refused(() => consul.kv.keys('nothing/'))
    const tooLong = await refused(() => consul.kv.set('config/long', 'x'.repeat(512 * 1024 + 1)))
    say('kv', {
        missing: missing === undefined, set, one, tree: tree.map(entry => [entry.Key, entry.Flags, entry.Value]), keys,
        folders, raw: raw.toString(), casNew, casAgain, casRight, casWrong, delWrong, delTree, left, noKeys, tooLong,
    })
}

async function session() {
    const first = (await consul.session.create({ name: 'worker', ttl: '10s', lockdelay: '0s' })).ID
    const second = (await consul.session.create({ name: 'worker', behavior: 'delete', lockdelay: '0s' })).ID
    const taken = await yes(consul.kv.set({ key: 'locks/a', value: '1', acquire: first }))
    const other = await yes(consul.kv.set({ key: 'locks/a', value: '2', acquire: second }))
    const again = await yes(consul.kv.set({ key: 'locks/a', value: '3', acquire: first }))
    await consul.kv.set('locks/a', 'plain')
    const held = await consul.kv.get('locks/a')
    const releasedByOther = await yes(consul.kv.set({ key: 'locks/a', value: '', release: second }))
    const released = await yes(consul.kv.set({ key: 'locks/a', value: 'free', release: first }))
    const free = await consul.kv.get('locks/a')
    const takenByOther = await yes(consul.kv.set({ key: 'locks/a', value: '4', acquire: second }))
    const unknown = await refused(() => consul.kv.set({
        key: 'locks/a', value: '5', acquire: '00000000-0000-7000-8000-000000000000',
    }))
    const renewed = await consul.session.renew(first)
    const info = await consul.session.get(first)
    const listed = (await consul.session.list()).map(one => one.ID)
    await consul.session.destroy(second)
    const deleted = await consul.kv.get('locks/a')
    const gone = await refused(() => consul.session.renew(second))
    const badTtl = await refused(() => consul.session.create({ ttl: '1s' }))
    say('session', {
        first, second, taken, other, again, held, releasedByOther, released, free, takenByOther, unknown,
        renewed, info, listed, deleted: deleted === undefined, gone, badTtl,
    })
}

async function txn() {
    const b64 = text => Buffer.from(text).toString('base64')
    const good = await consul.transaction.create([
        { KV: { Verb: 'set', Key: 'txn/a', Value: b64('1') } },
        { KV: { Verb: 'set', Key: 'txn/b', Value: b64('2') } },
        { KV: { Verb: 'get-tree', Key: 'txn/' } },
    ])
    const bad = await refused(() => consul.transaction.create([
        { KV: { Verb: 'set', Key: 'txn/c', Value: b64('3') } },
        { KV: { Verb: 'check-not-exists', Key: 'txn/a' } },
        { KV: { Verb: 'cas', Key: 'txn/b', Value: b64('4'), Index: 1 } },
    ]))
    const undone = await consul.kv.get('txn/c')
    const malformed = await refused(() => consul.transaction.create([{ KV: { Verb: 'burn', Key: 'x' } }]))
    say('txn', { good, bad, undone: undone === undefined, malformed })
}

// Watches a key that is not there yet, and says every change.
async function watch() {
    const options = { key: 'watched/a', wait: '20s' }
    const watch = consul.watch({ method: consul.kv.get, options, backoffFactor: 100 })
    watch.on('change', (entry, response) => say('change', {
        value: entry?.Value ?? null, index: response.headers['x-consul-index'],
    }))
    watch.on('error', error => say('error', { text: error.message }))
    process.stdin.resume()
    process.stdin.on('end', () => process.exit(0))
}

const parts = { kv, session, txn, watch }
parts[part]().catch(error => {
    say('failed', { text: error.stack })
    process.exit(1)
})
