// Drives eureka-js-client: a line on the standard input is one thing to do, what comes of it is a line of JSON.
import { createRequire } from 'node:module';
import readline from 'node:readline';

const require = createRequire(import.meta.url);
const { Eureka } = require('eureka-js-client');
const [host, port, settings] = process.argv.slice(2);
const { instance, key, servicePath, delta } = JSON.parse(settings);
const say = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));
const quiet = () => {};

const client = new Eureka({
    logger: { debug: quiet, info: quiet, warn: (text) => say('warned', { text: String(text) }), error: quiet },
    shouldUseDelta: delta,
    requestMiddleware: (request, done) => {
        say('asked', { method: request.method ?? 'GET', uri: request.uri });
        done(key ? { ...request, auth: { user: 'key', pass: key } } : request);
    },
    eureka: { host, port: Number(port), servicePath, heartbeatInterval: 600000, registryFetchInterval: 600000 },
    instance,
});
for (const event of ['registered', 'deregistered', 'heartbeat', 'registryUpdated']) client.on(event, () => say(event));

const outline = (all) => Object.fromEntries(Object.entries(all).map(([name, list]) =>
    [name, list.map((one) => ({ id: one.instanceId, host: one.hostName, port: one.port.$, status: one.status }))]));
const done = (event) => (error) => say(event, {
    error: error ? String(error.message ?? error) : null,
    vips: outline(client.cache.vip),
    apps: outline(client.cache.app),
});

say('version', { version: require('eureka-js-client/package.json').version });
readline.createInterface({ input: process.stdin }).on('line', (line) => {
    if (line === 'start') client.start(done('started'));
    else if (line === 'fetch') client.fetchRegistry(done('fetched'));
    else if (line === 'renew') client.renew();
    else if (line === 'stop') client.stop(done('stopped'));
}).on('close', () => process.exit(0));
