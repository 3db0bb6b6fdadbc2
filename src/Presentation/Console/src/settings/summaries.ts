import { computed, onScopeDispose, shallowRef, type ComputedRef } from 'vue'
import type { components } from '@schema'
import { get } from '@/api/client'
import { onNews } from '@/api/live'
import { allPages, useLoad, type Load } from '@/parts/load'
import { keyOf, type Summary } from './tree'

/** Settings of one call; the platform takes as many. */
const pageSize = 10_000

/** News within this belong to one reading. */
const pauseMilliseconds = 250

/** Settings that are read one by one after news of them; of more, the list is loaded anew. */
const maxSingle = 20

const list = (query: { namespace?: string; prefix?: string; format?: string; page?: string }, signal?: AbortSignal) =>
    get('/groundwork/v1/setting-summaries', { query: { limit: pageSize, ...query }, ...(signal ? { signal } : {}) })

/** One setting without its text; undefined when it is gone. */
export async function summaryOf(namespace: string, name: string): Promise<Summary | undefined> {
    const found = (await list({ namespace, prefix: name })).body.items
    return found.find(one => `${one.group}/${one.dataId}` === name)
}

/** All settings, or those of a format, as they are now: what changes is read again, and not the others. */
export function useSummaries(format?: string): { load: Load<Summary[]>; settings: ComputedRef<readonly Summary[]> } {
    const later = shallowRef<ReadonlyMap<string, Summary | undefined>>(new Map())
    const load = useLoad(async signal => {
        const all = await allPages(
            async page => (await list({ ...(format ? { format } : {}), ...(page ? { page } : {}) }, signal)).body,
        )
        later.value = new Map()
        return all
    })

    const waiting = new Map<string, [namespace: string, name: string]>()
    let timer: ReturnType<typeof setTimeout> | undefined

    async function read(): Promise<void> {
        timer = undefined
        const names = [...waiting.values()]
        waiting.clear()
        if (names.length > maxSingle) {
            await load.reload()
            return
        }
        const found = await Promise.all(names.map(([namespace, name]) => summaryOf(namespace, name)))
        later.value = new Map([
            ...later.value,
            ...names.map(([namespace, name], at) => [`${namespace}/${name}`, found[at]] as const),
        ])
    }

    const heard = ({ resource }: components['schemas']['WatchEvent']) => {
        if (resource.kind === 'gray-release') void load.reload()
        if (resource.kind !== 'setting') return
        waiting.set(`${resource.namespace}/${resource.name}`, [resource.namespace ?? '', resource.name])
        timer ??= setTimeout(() => void read().catch(() => load.reload()), pauseMilliseconds)
    }
    const stops = [onNews('change', heard), onNews('missed', () => void load.reload())]
    onScopeDispose(() => {
        stops.forEach(stop => stop())
        clearTimeout(timer)
    })

    const settings = computed(() => {
        const changed = later.value
        if (changed.size === 0) return load.data.value ?? []
        const kept = (load.data.value ?? []).filter(one => !changed.has(keyOf(one)))
        const come = [...changed.values()].filter(
            (one): one is Summary => one !== undefined && (!format || one.format === format),
        )
        return [...kept, ...come].sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
    })
    return { load, settings }
}
