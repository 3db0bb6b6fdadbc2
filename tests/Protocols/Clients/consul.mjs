// Drives the client "consul": a line of JSON on the standard input names a method and its arguments, what comes of it
// is a line of JSON. {"watch": ...} begins a watch with the client's own Watch; {"next": true} asks for its next
// change, which is kept until then.
import { createRequire } from 'node:module';
import readline from 'node:readline';

const require = createRequire(import.meta.url);
const Consul = require('consul');
const [host, port, token] = process.argv.slice(2);
const client = new Consul({ host, port: Number(port), defaults: token ? { token } : undefined });
const say = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));
const method = (path) => {
    const names = path.split('.');
    const owner = names.slice(0, -1).reduce((part, name) => part[name], client);
    return owner[names.at(-1)].bind(owner);
};

const changes = [];
let asked = 0;
const tell = () => {
    for (; asked > 0 && changes.length > 0; asked--) say('changed', changes.shift());
};
const begin = (name, options) => {
    const watch = client.watch({ method: method(name), options, backoffFactor: 20 });
    watch.on('change', (content, answer) => {
        changes.push({ name, content, index: answer.headers['x-consul-index'] });
        tell();
    });
    watch.on('error', () => {}); // It tries again by itself, or ends.
    watch.on('end', () => say('watchEnded'));
};

say('version', { version: require('consul/package.json').version });
readline.createInterface({ input: process.stdin }).on('line', async (line) => {
    const { call, watch, next, args = [] } = JSON.parse(line);
    if (watch) return begin(watch, args[0]);
    if (next) {
        asked++;
        return tell();
    }
    try {
        say('done', { call, result: (await method(call)(...args)) ?? null });
    } catch (error) {
        say('done', { call, error: error.message, status: error.statusCode ?? error.response?.statusCode });
    }
}).on('close', () => process.exit(0));
