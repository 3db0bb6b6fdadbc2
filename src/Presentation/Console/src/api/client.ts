import type { paths } from '@schema'
import { Fault, faultOf } from './fault'
import { credential, refused } from './session'

/** Paths of the API that have this method, as its document names them. */
type PathsWith<M extends Method> = {
    [P in keyof paths]: paths[P] extends { [K in M]: object } ? P : never
}[keyof paths]
type Method = 'get' | 'put' | 'post' | 'delete'
type Operation<P extends keyof paths, M extends Method> = M extends keyof paths[P] ? paths[P][M] : never
type Parameters<O, In extends string> = O extends { parameters: { [K in In]?: infer T } } ? T : never
type Content<A> = A extends { content: { 'application/json': infer T } } ? T : unknown
type Success<O> = O extends { responses: infer R } ? Content<R[keyof R & (200 | 201 | 202)]> : never

export interface Call<P extends keyof paths, M extends Method> {
    path?: Parameters<Operation<P, M>, 'path'>
    query?: Parameters<Operation<P, M>, 'query'>
    body?: unknown
    /** Sent as it is, with its media type. */
    text?: { content: string; mediaType: string }
    /** The revision that the caller has seen; 0: nothing may be there. */
    expect?: number
    reason?: string
    signal?: AbortSignal
}

export interface Answer<T> {
    body: T
    /** The revision in force when the answer was made. */
    revision: number
    headers: Headers
}

export const get = <P extends PathsWith<'get'>>(path: P, call: Call<P, 'get'> = {}) => send('get', path, call)
export const put = <P extends PathsWith<'put'>>(path: P, call: Call<P, 'put'> = {}) => send('put', path, call)
export const post = <P extends PathsWith<'post'>>(path: P, call: Call<P, 'post'> = {}) => send('post', path, call)
export const remove = <P extends PathsWith<'delete'>>(path: P, call: Call<P, 'delete'> = {}) =>
    send('delete', path, call)

/** The same of an operation whose answer the caller types. */
export async function read<T>(
    path: string,
    call: { path?: object; query?: object; signal?: AbortSignal },
): Promise<{ body: T }> {
    const answer = await exchange('get', addressOf(path, call.path, call.query), { signal: call.signal })
    return { body: (await answer.json()) as T }
}

async function send<P extends keyof paths, M extends Method>(
    method: M,
    path: P,
    call: Call<P, M>,
): Promise<Answer<Success<Operation<P, M>>>> {
    const answer = await exchange(method, addressOf(String(path), call.path, call.query), call)
    // Lines of JSON (application/x-ndjson) are a text.
    const isJson = /[/+]json\b/.test(answer.headers.get('Content-Type') ?? '')
    return {
        body: (answer.status === 204 ? undefined : isJson ? await answer.json() : await answer.text()) as Success<
            Operation<P, M>
        >,
        revision: Number(answer.headers.get('Groundwork-Revision') ?? 0),
        headers: answer.headers,
    }
}

async function exchange(
    method: string,
    address: string,
    call: Pick<Call<keyof paths, Method>, 'body' | 'text' | 'expect' | 'reason' | 'signal'>,
): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
        const headers = new Headers({ Authorization: `Bearer ${await credential()}` })
        let body: string | null = null
        if (call.text) {
            headers.set('Content-Type', call.text.mediaType)
            body = call.text.content
        } else if (call.body !== undefined) {
            headers.set('Content-Type', 'application/json')
            body = JSON.stringify(call.body)
        }
        if (call.expect === 0) headers.set('If-None-Match', '*')
        else if (call.expect !== undefined) headers.set('If-Match', `"${call.expect}"`)
        if (call.reason) headers.set('Groundwork-Reason', encodeURIComponent(call.reason))
        let answer: Response
        try {
            answer = await fetch(address, {
                method: method.toUpperCase(),
                headers,
                body,
                signal: call.signal ?? null,
            })
        } catch (reason) {
            if (call.signal?.aborted) throw reason
            throw Fault.away(reason)
        }
        if (answer.ok) return answer
        if (answer.status === 401 && attempt === 1) {
            refused()
            continue
        }
        throw await faultOf(answer)
    }
}

/** Fills `{name}` in a path; a name of a resource may hold slashes, which stay. */
export function addressOf(path: string, values: unknown, query: unknown): string {
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
        const value = String((values as Record<string, unknown> | undefined)?.[name] ?? '')
        return name === 'name' || name === 'dataId'
            ? value.split('/').map(encodeURIComponent).join('/')
            : encodeURIComponent(value)
    })
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>)) {
        for (const one of Array.isArray(value) ? value : [value])
            if (one !== undefined && one !== null && one !== '') search.append(name, String(one))
    }
    return search.size > 0 ? `${filled}?${search}` : filled
}

/**
 * The answer of a call as a file, read as it comes.
 * @param progress Told how many bytes have come.
 */
export async function download<P extends PathsWith<'post'>>(
    path: P,
    call: Call<P, 'post'>,
    progress: (bytes: number) => void,
): Promise<{ file: Blob; name: string }> {
    const answer = await exchange('post', addressOf(String(path), call.path, call.query), call)
    const parts: BlobPart[] = []
    let bytes = 0
    const reader = answer.body?.getReader()
    for (;;) {
        const chunk = await reader?.read()
        if (!chunk || chunk.done) break
        parts.push(chunk.value)
        bytes += chunk.value.byteLength
        progress(bytes)
    }
    const name = /filename="([^"]+)"/.exec(answer.headers.get('Content-Disposition') ?? '')?.[1] ?? 'download'
    return { file: new Blob(parts), name }
}
