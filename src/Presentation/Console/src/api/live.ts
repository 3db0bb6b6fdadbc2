import { ref, shallowRef } from 'vue'
import type { components } from '@schema'
import { Fault } from './fault'
import { began } from './session'
import { read } from './stream'

type WatchEvent = components['schemas']['WatchEvent']
type ServiceDocument = components['schemas']['ServiceDocument']

/** How the tab hears of changes: `live`, or since when it does not. */
export const connection = ref<'connecting' | 'live' | 'away'>('connecting')

/** The newest change of any resource that this operator may read. */
export const lastChange = shallowRef<WatchEvent>()

/** The newest news of any service that this operator may discover. */
export const lastService = shallowRef<ServiceDocument>()

const longestPause = 10_000

/** Follows the platform until stopped: resumes from where it was, waits longer after each failure. */
export function follow(): () => void {
    const stop = new AbortController()
    void changes(stop.signal)
    void services(stop.signal)
    return () => stop.abort()
}

async function changes(signal: AbortSignal): Promise<void> {
    let token = ''
    await forever(signal, async () => {
        // From where the tab began, so that nothing falls between what is loaded and what is heard.
        const from = token ? `token=${encodeURIComponent(token)}` : `after=${began}`
        const address = `/groundwork/v1/watch?${from}`
        for await (const event of read(address, signal)) {
            connection.value = 'live'
            if (event.type === 'problem') {
                // The history that it stood in is gone, or the store is another: what is shown is loaded anew.
                token = ''
                lastChange.value = undefined
                return
            }
            if (event.id) token = event.id
            if (event.type === 'change') lastChange.value = JSON.parse(event.data) as WatchEvent
        }
    })
}

async function services(signal: AbortSignal): Promise<void> {
    await forever(signal, async () => {
        for await (const event of read('/groundwork/v1/registry/watch', signal))
            if (event.type === 'service') lastService.value = JSON.parse(event.data) as ServiceDocument
    })
}

async function forever(signal: AbortSignal, once: () => Promise<void>): Promise<void> {
    let pause = 250
    while (!signal.aborted) {
        const opened = Date.now()
        try {
            await once()
        } catch (reason) {
            if (signal.aborted) return
            connection.value = 'away'
            if (Fault.of(reason).status === 401) return
        }
        if (Date.now() - opened > longestPause) pause = 250
        await new Promise(resolve => setTimeout(resolve, pause * (0.75 + Math.random() / 2)))
        pause = Math.min(pause * 2, longestPause)
    }
}
