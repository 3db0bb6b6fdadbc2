import { describe, expect, it } from 'vitest'
import { parse } from './stream'

/** The text in pieces of this many characters: events come as the network cuts them. */
async function eventsOf(text: string, size: number) {
    const pieces = new ReadableStream<string>({
        start(controller) {
            for (let at = 0; at < text.length; at += size) controller.enqueue(text.slice(at, at + size))
            controller.close()
        },
    })
    const events = []
    for await (const event of parse(pieces)) events.push(event)
    return events
}

describe('events of a stream', () => {
    const text =
        ': hello\n\nevent: change\nid: a.1.1\ndata: {"a":1,\ndata: "b":2}\n\n' +
        'event: progress\nid: a.2.1\ndata: {}\n\ndata: half'

    for (const size of [1, 2, 3, 7, 1000])
        it(`are the same in pieces of ${size}`, async () => {
            expect(await eventsOf(text, size)).toEqual([
                { type: 'change', id: 'a.1.1', data: '{"a":1,\n"b":2}' },
                { type: 'progress', id: 'a.2.1', data: '{}' },
            ])
        })

    it('keep the last id where one has none', async () => {
        expect((await eventsOf('id: 1\ndata: x\n\ndata: y\n\n', 4)).map(one => one.id)).toEqual(['1', '1'])
    })
})
