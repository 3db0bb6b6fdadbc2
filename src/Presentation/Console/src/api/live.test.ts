import { afterEach, expect, test, vi } from 'vitest'
import { follow, onNews } from './live'

vi.mock('./session', () => ({
    credential: () => Promise.resolve('token'),
    refused: () => undefined,
    began: 7,
    who: {},
}))

const opened: string[] = []
let stop = () => {}

/** A platform whose streams say these texts, one after the other; the last stays open. */
function platform(...texts: string[]): void {
    vi.stubGlobal('fetch', (address: string) => {
        const text = texts[opened.push(address) - 1]
        const body = new ReadableStream({
            start(controller) {
                controller.enqueue(new TextEncoder().encode(text ?? ': open\n\n'))
                if (text !== undefined) controller.close()
            },
        })
        return Promise.resolve(new Response(body))
    })
}

const problem = (status: number) => `event: problem\ndata: {"status":${status},"code":"x"}\n\n`
const progress = (id: string) => `event: progress\nid: ${id}\ndata: {}\n\n`

afterEach(() => {
    stop()
    opened.length = 0
    vi.unstubAllGlobals()
})

test('a stream whose sign-in has ended goes on where it was, and nothing is loaded anew', async () => {
    let missed = 0
    const deaf = onNews('missed', () => missed++)
    platform(progress('s.8.0') + problem(401), progress('s.9.0') + problem(410), progress('s.30.0'))
    stop = follow()
    await vi.waitFor(() => expect(opened.length).toBe(4), 5000)
    expect(opened.map(address => address.replace('/groundwork/v1/events', ''))).toEqual([
        '?after=7',
        '?token=s.8.0',
        '',
        '?token=s.30.0',
    ])
    // Once: when what it stood in was gone.
    expect(missed).toBe(1)
    deaf()
})
