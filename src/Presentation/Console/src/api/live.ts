import { ref } from 'vue'
import type { components } from '@schema'
import { Fault } from './fault'
import { began, who } from './session'
import { read, type StreamEvent } from './stream'

/** How the tab hears of changes: `live`, or since when it does not. */
export const connection = ref<'connecting' | 'live' | 'away'>('connecting')

/** What the stream tells of, by the type of its events. */
export interface News {
    /** Any resource that this operator may read. */
    change: components['schemas']['WatchEvent']
    /** Any service that this operator may discover. */
    service: components['schemas']['ServiceSummary']
    /** A setting of which readers have said something. */
    receipt: Pick<components['schemas']['SettingReceipts'], 'namespace' | 'group' | 'dataId'>
    /** What this operator may do. */
    access: components['schemas']['WhoAmI']
    /** News may have been missed: whoever shows something loads it anew. */
    missed: undefined
}

const longestPause = 10_000

const listeners = new Map<keyof News, Set<(data: never) => void>>()

/** Hears every event of a type, one by one, until the function that is returned is called. */
export function onNews<T extends keyof News>(type: T, heard: (data: News[T]) => void): () => void {
    const all = listeners.get(type) ?? new Set()
    listeners.set(type, all.add(heard))
    return () => all.delete(heard)
}

function tell<T extends keyof News>(type: T, data: News[T]): void {
    for (const heard of listeners.get(type) ?? []) (heard as (data: News[T]) => void)(data)
}

/** Follows the platform until stopped: one stream a tab, resumed where it was, with longer waits after each failure. */
export function follow(): () => void {
    const stop = new AbortController()
    void forever(stop.signal)
    return () => stop.abort()
}

/** Where the stream goes on: after what the tab began with, after the last event, or from now. */
let place: 'began' | 'now' | { token: string } = 'began'

const query = () =>
    place === 'began' ? `?after=${began}` : place === 'now' ? '' : `?token=${encodeURIComponent(place.token)}`

async function forever(signal: AbortSignal): Promise<void> {
    let pause = 250
    while (!signal.aborted) {
        const opened = Date.now()
        try {
            for await (const event of read(`/groundwork/v1/events${query()}`, signal)) hear(event)
        } catch (reason) {
            if (signal.aborted) return
            const { status } = Fault.of(reason)
            if (status === 401) return
            // The history that it stood in is gone, or the store is another.
            if (status >= 400 && status < 500) place = 'now'
        }
        connection.value = 'away'
        if (Date.now() - opened > longestPause) pause = 250
        await new Promise(resolve => setTimeout(resolve, pause * (0.75 + Math.random() / 2)))
        pause = Math.min(pause * 2, longestPause)
    }
}

function hear(event: StreamEvent): void {
    connection.value = 'live'
    if (event.type === 'problem') {
        // A token of the sign-in ends every few minutes: with the next one the stream goes on where it was.
        if ((JSON.parse(event.data) as { status: number }).status !== 401) place = 'now'
        return
    }
    // Told when the stream stands again, so that nothing falls between what is loaded now and what is heard.
    if (place === 'now') tell('missed', undefined)
    if (event.id) place = { token: event.id }
    if (event.type === 'change') tell('change', JSON.parse(event.data))
    else if (event.type === 'service') tell('service', JSON.parse(event.data))
    else if (event.type === 'receipt') tell('receipt', JSON.parse(event.data))
    else if (event.type === 'access') {
        who.value = JSON.parse(event.data) as News['access']
        tell('access', who.value)
    }
}
