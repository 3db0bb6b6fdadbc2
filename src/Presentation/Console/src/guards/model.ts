import { get } from '@/api/client'
import { useEvery } from '@/parts/clock'
import { useLoad, type Load } from '@/parts/load'
import type { components } from '@schema'

type Schemas = components['schemas']
export type GatewayState = Schemas['GatewayState']
export type UpstreamState = Schemas['GatewayUpstreamState']
export type LimitState = Schemas['GatewayLimitState']
export type ProcessState = Schemas['GatewayProcessState']
export type CachedRoutes = Schemas['CachedRoutes']
export type CachedRoute = Schemas['CachedRoute']

/** What this node of the gateway holds back, asked again and again while somebody looks. */
export function useGatewayState(): Load<GatewayState> {
    const state = useLoad(async signal => (await get('/groundwork/v1/gateway/state', { signal })).body)
    useEvery(2000, state.reload)
    return state
}
