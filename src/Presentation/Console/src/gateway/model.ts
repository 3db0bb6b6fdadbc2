import { get, post } from '@/api/client'
import { useEvery } from '@/parts/clock'
import { useLoad, type Load } from '@/parts/load'
import type { components } from '@schema'

type Schemas = components['schemas']
export type GatewayUpstream = Schemas['GatewayUpstream']
export type GatewayInstance = Schemas['GatewayInstance']
export type GatewayListener = Schemas['ListenerInForce']
export type DryRunHead = Schemas['DryRunHead']
export type DryRunAnswer = Schemas['DryRunAnswer']
export type DryRunRouting = Schemas['DryRunRouting']
export type ReplayAnswer = Schemas['ReplayAnswer']
export type ReplayPlace = Schemas['ReplayPlace']
export type DraftChange = Schemas['ChangeDocument']

/** How often what the gateway does is asked for while somebody looks. */
const every = 3000

/** What this node of the gateway calls, as it is now. */
export function useUpstreams(): Load<readonly GatewayUpstream[]> {
    const all = useLoad(
        async signal =>
            (await get('/groundwork/v1/gateway/upstreams', { signal })).body.upstreams as GatewayUpstream[],
    )
    useEvery(every, all.reload)
    return all
}

/** The addresses of this node of the gateway, as they are now. */
export function useListeners(): Load<readonly GatewayListener[]> {
    const all = useLoad(
        async signal =>
            (await get('/groundwork/v1/gateway/listeners', { signal })).body.listeners as GatewayListener[],
    )
    useEvery(every, all.reload)
    return all
}

export async function dryRun(request: DryRunHead, draft: DraftChange[] | undefined): Promise<DryRunAnswer> {
    return (await post('/groundwork/v1/gateway/dry-run', { body: { request, draft } })).body
}

export async function replay(draft: DraftChange[]): Promise<ReplayAnswer> {
    return (await post('/groundwork/v1/gateway/replay', { body: { draft } })).body
}

/** A draft of one resource, as the API takes it. */
export const changeOf = (
    place: { kind: string; namespace: string; name: string },
    spec: unknown,
    version?: number | null,
): DraftChange => ({ operation: 'put', resource: { ...place, spec, version: version ?? null } }) as DraftChange

/** The tone of an instance's state, of those that the API names. */
export const instanceTones = {
    called: 'good',
    doubted: 'warn',
    ejected: 'bad',
    full: 'warn',
    standby: 'quiet',
} as const

/** How it stands with an upstream as a whole. */
export function standingOf(instances: readonly GatewayInstance[]): 'all' | 'some' | 'none' {
    const called = instances.filter(one => one.percent > 0 || one.state === 'called' || one.state === 'standby')
    return called.length === 0 ? 'none' : called.length < instances.length ? 'some' : 'all'
}

export const standingTones = { all: 'good', some: 'warn', none: 'bad' } as const
