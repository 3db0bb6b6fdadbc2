// The service of the tests: messages are bytes as they are, so that nothing has to be generated.
const as = { serialize: value => Buffer.from(value), deserialize: bytes => bytes.toString() }

exports.method = (name, requestStream, responseStream) => ({
    path: `/test.Service/${name}`,
    requestStream,
    responseStream,
    requestSerialize: as.serialize,
    requestDeserialize: as.deserialize,
    responseSerialize: as.serialize,
    responseDeserialize: as.deserialize
})

exports.methods = {
    echo: exports.method('Echo', false, false),
    fail: exports.method('Fail', false, false),
    sum: exports.method('Sum', true, false),
    count: exports.method('Count', false, true),
    talk: exports.method('Talk', true, true),
    hang: exports.method('Hang', false, true),
    cancelled: exports.method('Cancelled', false, false),
    breakOff: exports.method('BreakOff', false, true)
}
