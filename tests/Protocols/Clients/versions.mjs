// Says which versions of the clients are installed. Further packages may be named.
import { readFileSync } from 'node:fs'

const wanted = [...Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).dependencies), ...process.argv.slice(2)]
const versions = { event: 'versions' }
const versionOf = name => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version
for (const name of wanted) versions[name] = versionOf(name)
console.log(JSON.stringify(versions))
