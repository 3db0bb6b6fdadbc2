// node client.js ADDRESS CASE: prints what came of it.
const grpc = require('@grpc/grpc-js')
const { methods } = require('./service')

const Client = grpc.makeGenericClientConstructor(methods, 'Service')
const client = new Client(process.argv[2], grpc.credentials.createInsecure())
const said = []
const tell = text => said.push(text)
const end = () => {
    console.log(said.join('\n'))
    process.exit(0)
}
const told = fault => `${grpc.status[fault.code]}: ${fault.details}`
const read = (call, each) => {
    call.on('data', each)
    call.on('error', fault => {
        tell(told(fault))
        end()
    })
    call.on('end', () => {
        tell('end')
        end()
    })
}
const cases = {
    unary() {
        const metadata = new grpc.Metadata()
        metadata.set('x-asked', 'this')
        const call = client.echo('x'.repeat(300000), metadata, (fault, text) => {
            tell(fault ? told(fault) : `${text.length} bytes`)
        })
        call.on('metadata', head => tell(head.get('x-head')[0]))
        call.on('status', status => {
            tell(`${grpc.status[status.code]} ${status.metadata.get('x-trailer')[0]}`)
            tell(status.metadata.get('x-data-bin')[0].toString('hex'))
            end()
        })
    },
    fail() {
        client.fail('x', fault => {
            tell(told(fault))
            end()
        })
    },
    sum() {
        const call = client.sum((fault, text) => {
            tell(fault ? told(fault) : text)
            end()
        })
        for (const number of [1, 2, 3]) call.write(String(number))
        call.end()
    },
    count() {
        let last = ''
        const call = client.count('1000')
        call.on('data', text => (last = text))
        call.on('end', () => {
            tell(last)
            end()
        })
    },
    talk() {
        // Each waits for the answer to the one before: nothing may be held back on the way.
        const call = client.talk()
        let round = 0
        read(call, text => {
            tell(text)
            if (++round < 3) call.write(String(round))
            else call.end()
        })
        call.write('0')
    },
    deadline() {
        read(client.hang('x', { deadline: Date.now() + 500 }), tell)
    },
    cancel() {
        const call = client.hang('x')
        read(call, text => {
            tell(text)
            call.cancel()
        })
    },
    cancelled() {
        client.cancelled('x', (fault, text) => {
            tell(fault ? told(fault) : text)
            end()
        })
    },
    breakOff() {
        read(client.breakOff('x'), tell)
    }
}
cases[process.argv[3]]()
