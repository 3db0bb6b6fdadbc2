import { credential, refused } from './session'
import { faultOf } from './fault'

/** One event of a server-sent event stream. */
export interface StreamEvent {
    type: string
    id: string
    data: string
}

/** Reads events as they come. EventSource cannot carry a credential, so the stream is read by fetch. */
export async function* read(address: string, signal: AbortSignal): AsyncGenerator<StreamEvent> {
    const answer = await fetch(address, {
        headers: { Authorization: `Bearer ${await credential()}`, Accept: 'text/event-stream' },
        signal,
    })
    if (answer.status === 401) refused()
    if (!answer.ok || !answer.body) throw await faultOf(answer)
    yield* parse(answer.body.pipeThrough(new TextDecoderStream()))
}

/** Cuts text into events (WHATWG HTML, 9.2.6). */
export async function* parse(text: ReadableStream<string>): AsyncGenerator<StreamEvent> {
    let rest = ''
    let event: StreamEvent = { type: 'message', id: '', data: '' }
    const reader = text.getReader()
    try {
        for (;;) {
            const { done, value } = await reader.read()
            if (done) return
            const lines = (rest + value).split(/\r\n|\n|\r/)
            rest = lines.pop() ?? ''
            for (const line of lines) {
                if (line === '') {
                    if (event.data || event.type !== 'message') yield event
                    event = { type: 'message', id: event.id, data: '' }
                    continue
                }
                const colon = line.indexOf(':')
                if (colon === 0) continue
                const field = colon < 0 ? line : line.slice(0, colon)
                const content = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
                if (field === 'event') event.type = content
                else if (field === 'id') event.id = content
                else if (field === 'data') event.data += event.data ? `\n${content}` : content
            }
        }
    } finally {
        reader.releaseLock()
    }
}
