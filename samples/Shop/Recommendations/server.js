'use strict';
// Recommends products that cost about as much as the one that is looked at. The only service of the shop that is not
// .NET: it asks the catalog by name, and the catalog asks it.

const http = require('node:http');
const { once } = require('node:events');
const { Platform } = require('./groundwork.js');

const MAX_COUNT = 10;
const platform = new Platform();
const settings = { count: 3 };

/** The setting `recommendations/show.json`; a wrong one leaves the last good one in force. */
function apply(texts) {
  try {
    const { count } = JSON.parse(texts.get('show.json')?.content ?? '{"count": 3}');
    if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) throw new Error(`count must be 1 to ${MAX_COUNT}`);
    settings.count = count;
  } catch (fault) {
    console.warn(`recommendations/show.json is not applied: ${fault.message}`);
  }
}

async function recommend(id, timeoutMs) {
  const answer = await platform.call('catalog', '/api/catalog/products', timeoutMs);
  if (!answer.ok) return { status: 502, body: { detail: `the catalog answered ${answer.status}` } };
  const { products } = await answer.json();
  const shown = products.find((product) => product.id === id);
  if (!shown) return { status: 404, body: { detail: 'there is no such product' } };
  const nearest = products
    .filter((product) => product.id !== id)
    .sort((a, b) => Math.abs(a.priceMinor - shown.priceMinor) - Math.abs(b.priceMinor - shown.priceMinor));
  return { status: 200, body: { productIds: nearest.slice(0, settings.count).map((product) => product.id) } };
}

async function handle(request) {
  if (request.method !== 'GET') return { status: 405, body: { detail: 'only GET' } };
  const { pathname } = new URL(request.url, 'http://localhost');
  if (pathname === '/health') return { status: 200, body: { status: 'ok' } };
  const id = /^\/api\/recommendations\/([A-Za-z0-9._-]{1,64})$/.exec(pathname)?.[1];
  if (!id) return { status: 404, body: { detail: 'nothing is here' } };
  // Nobody waits for an answer longer than this: so neither does the call to the catalog.
  const deadline = Number(request.headers['groundwork-deadline-ms']);
  return recommend(id, Math.min(2000, deadline > 0 ? deadline : 2000));
}

const server = http.createServer(async (request, response) => {
  let answer;
  try {
    answer = await handle(request);
  } catch (fault) {
    answer = { status: 503, body: { detail: fault.message } };
  }
  response.writeHead(answer.status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(answer.body));
});

async function stop() {
  await platform.leave(async () => {
    server.close();
    server.closeIdleConnections();
    await once(server, 'close');
  });
  console.log('left the registry');
  process.exit(0);
}

async function main() {
  server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1');
  await once(server, 'listening');
  await platform.followSettings('recommendations', apply);
  platform.watch('catalog');
  await platform.join(server.address().port, '1.0.0');
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  console.log(`recommends on port ${server.address().port}`);
}

main();
