// Asks a gateway and a server with express-openapi-validator the same, and says what each answers. The first line it is
// told has the gateway's address; each other is a request.
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const express = require('express')
const validator = require('express-openapi-validator')
const say = (event, more) => console.log(JSON.stringify({ event, ...more }))

const app = express()
// As cookie-parser does, which it reads them from.
app.use((asked, _, next) => {
  asked.cookies = Object.fromEntries((asked.headers.cookie ?? '').split('; ').filter(Boolean).map(one => one.split('=')))
  next()
})
app.use(express.json({ strict: false }), express.urlencoded({ extended: false }))
const held = coerceTypes => validator.middleware({
  apiSpec: JSON.parse(readFileSync(new URL('openapi.json', import.meta.url), 'utf8')),
  validateRequests: { allowUnknownQueryParameters: true, coerceTypes },
  validateResponses: false,
  ajvFormats: { mode: 'full' },
})
// It takes the texts of a form for numbers only where it is told to, and then those of JSON, too.
const [forms, others] = [held(true), held(false)].map(all => express.Router().use(...[all].flat()))
app.use((asked, answer, next) => (asked.is('application/x-www-form-urlencoded') ? forms : others)(asked, answer, next))
// What stands outside of the document's servers is nobody's business to it.
app.use((asked, answer) => answer.sendStatus(asked.openapi ? 200 : 404))
app.use((fault, _, answer, __) => {
  answer.status(fault.status ?? 500).send(`${fault.message}`.slice(0, 300))
})

const ask = (port, { method, target, headers, body }) => new Promise((resolve, reject) => {
  const all = { ...headers }
  if (body !== null) all['content-length'] = Buffer.byteLength(body)
  const asked = request({ host: '127.0.0.1', port, method, path: target, headers: all }, answer => {
    let said = ''
    answer.setEncoding('utf8')
    answer.on('data', piece => (said += piece))
    answer.on('end', () => resolve({ status: answer.statusCode, said }))
  })
  asked.on('error', reject)
  asked.end(body ?? undefined)
})

const server = app.listen(0, '127.0.0.1', async () => {
  say('ready', { version: require('express-openapi-validator/package.json').version })
  let gateway
  for await (const line of createInterface({ input: process.stdin })) {
    const told = JSON.parse(line)
    if (gateway === undefined) gateway = told.port
    else say('judged', { ours: await ask(gateway, told), theirs: await ask(server.address().port, told) })
  }
  server.close()
})
