// node webclient.js ADDRESS CASE FORMAT: the same over gRPC-Web, in the format text or binary.
global.XMLHttpRequest = require('xhr2')
const web = require('grpc-web')

const [, , address, what, format] = process.argv
const client = new web.GrpcWebClientBase({ format })
const method = (name, kind) =>
    new web.MethodDescriptor(
        `/test.Service/${name}`,
        kind,
        Object,
        Object,
        text => new TextEncoder().encode(text),
        bytes => new TextDecoder().decode(bytes)
    )
const said = []
const end = () => {
    console.log(said.join('\n'))
    process.exit(0)
}
const call = (name, text, kind = 'unary') =>
    client.rpcCall(`http://${address}/test.Service/${name}`, text, { 'x-asked': 'this' }, method(name, kind), (fault, answer) => {
        said.push(fault ? `${fault.code}: ${fault.message}` : answer.length > 99 ? `${answer.length} bytes` : answer)
        setImmediate(end)
    })
const cases = {
    unary() {
        call('Echo', 'x'.repeat(100000)).on('status', status => said.push(`status ${status.code}`))
    },
    fail() {
        call('Fail', 'x')
    },
    count() {
        const stream = client.serverStreaming(
            `http://${address}/test.Service/Count`, '1000', {}, method('Count', 'server_streaming'))
        let last = ''
        stream.on('data', text => (last = text))
        stream.on('end', () => {
            said.push(last)
            end()
        })
    }
}
cases[what]()
