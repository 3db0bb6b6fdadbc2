import type { components } from '@schema'
import { get } from '@/api/client'
import { Fault } from '@/api/fault'
import { useEvery } from '@/parts/clock'
import { useLoad, type Load } from '@/parts/load'

export type Exposure = components['schemas']['FlagExposureCount']

/** Readers report what they evaluated every few seconds; asked as often, it is as new as it gets. */
const askMilliseconds = 10_000

/** How often flags of namespaces answered with which variant; nothing of those that may not be asked. */
export function useExposures(namespaces: () => readonly string[]): Load<ReadonlyMap<string, readonly Exposure[]>> {
    const load = useLoad(
        async signal =>
            new Map(
                await Promise.all(
                    namespaces().map(async namespace => [namespace, await exposuresOf(namespace, signal)] as const),
                ),
            ),
        () => namespaces().join(' '),
    )
    useEvery(askMilliseconds, load.reload)
    return load
}

async function exposuresOf(namespace: string, signal: AbortSignal): Promise<readonly Exposure[]> {
    try {
        const answer = await get('/groundwork/v1/flags/{namespace}/exposures', { path: { namespace }, signal })
        return answer.body.items
    } catch (reason) {
        if (reason instanceof Fault && reason.status === 403) return []
        throw reason
    }
}

/** Sums over all services, by variant. */
export function sumsOf(exposures: readonly Exposure[], flag: string): Map<string, number> {
    const sums = new Map<string, number>()
    for (const one of exposures)
        if (one.flag === flag) sums.set(one.variant, (sums.get(one.variant) ?? 0) + one.count)
    return sums
}
