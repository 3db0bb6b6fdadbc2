import { get } from '@/api/client'
import type { components } from '@schema'

type Schemas = components['schemas']
export type TrafficRow = Schemas['GatewayTrafficRow']
export type Traffic = Schemas['GatewayTraffic']
export type RequestSummary = Schemas['GatewayRequestSummary']
export type RequestList = Schemas['GatewayRequestList']
export type RequestExplanation = Schemas['GatewayRequestExplanation']
export type Decision = Schemas['GatewayDecision']

export const loadTraffic = async (signal: AbortSignal): Promise<Traffic> =>
    (await get('/groundwork/v1/gateway/traffic', { signal })).body

export const loadRequests = async (only: string, signal: AbortSignal): Promise<RequestList> =>
    (
        await get('/groundwork/v1/gateway/requests', {
            query: { limit: 500, failed: only === 'failed', slow: only === 'slow' },
            signal,
        })
    ).body

export const loadRequest = async (id: string, signal: AbortSignal): Promise<RequestExplanation> =>
    (await get('/groundwork/v1/gateway/requests/{id}', { path: { id }, signal })).body
