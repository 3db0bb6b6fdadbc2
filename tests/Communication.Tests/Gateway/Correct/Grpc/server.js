// Prints its port, and ends with its standard input.
const grpc = require('@grpc/grpc-js')
const { methods } = require('./service')

let cancelled = 0
const server = new grpc.Server()
server.addService(methods, {
    echo(call, done) {
        const metadata = new grpc.Metadata()
        metadata.set('x-head', `seen ${call.metadata.get('x-asked')[0] ?? 'nothing'}`)
        call.sendMetadata(metadata)
        const trailer = new grpc.Metadata()
        trailer.set('x-trailer', 'after')
        trailer.set('x-data-bin', Buffer.from([0, 255, 1]))
        done(null, call.request, trailer)
    },
    fail(call, done) {
        done({ code: grpc.status.NOT_FOUND, details: 'no such thing: ünit' })
    },
    sum(call, done) {
        let sum = 0
        call.on('data', text => (sum += Number(text)))
        call.on('end', () => done(null, String(sum)))
    },
    count(call) {
        for (let number = 1; number <= Number(call.request); number++) call.write(String(number))
        call.end()
    },
    talk(call) {
        call.on('data', text => call.write(`re: ${text}`))
        call.on('end', () => call.end())
    },
    hang(call) {
        call.write('begun')
        call.on('cancelled', () => cancelled++)
    },
    cancelled(call, done) {
        done(null, String(cancelled))
    },
    breakOff(call) {
        // Taken by the program is not sent yet.
        call.write('begun', () => setTimeout(() => process.exit(1), 300))
    }
})
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (fault, port) => {
    if (fault) throw fault
    console.log(port)
})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
