// Reads configuration with cloud-config-client, once for each line that it is told: the options of the client as JSON.
import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const client = require('cloud-config-client')
const say = (event, more) => console.log(JSON.stringify({ event, ...more }))

say('ready', { version: require('cloud-config-client/package.json').version })
for await (const line of createInterface({ input: process.stdin })) {
  const options = JSON.parse(line)
  try {
    const config = await client.load(options)
    // Its toObject takes no answer without sources.
    const object = config.raw.propertySources.length > 0 ? config.toObject() : {}
    say('config', { properties: config.properties, object, raw: config.raw })
  } catch (fault) {
    say('refused', { message: fault.message })
  }
}
