import { get } from '@/api/client'

/**
 * What the API tells of traffic, as `GatewayTrafficContracts` has it: by hand, since the document that types are made
 * from is written by the build that this page is a part of.
 */
export interface TrafficRow {
    name: string
    perSecond: number
    errorsPerSecond: number
    bytesOutPerSecond: number
    p50Ms?: number | null
    p99Ms?: number | null
}

export interface Traffic {
    node: string
    seconds: number
    underWay: number
    connections: number
    total: TrafficRow
    routes: TrafficRow[]
    upstreams: TrafficRow[]
}

export interface RequestSummary {
    id: string
    traceId: string
    at: string
    method: string
    host: string
    path: string
    status: number
    ms: number
    attempts: number
    code?: string | null
    route?: string | null
    instance?: string | null
}

export interface RequestList {
    node: string
    kept: number
    notKept: number
    requests: RequestSummary[]
}

export interface Decision {
    stage: string
    what: string
    atMs: number
    about?: string | null
}

export interface RequestExplanation {
    node: string
    request: RequestSummary
    summary: string
    sampled: boolean
    bytesIn: number
    bytesOut: number
    revision: number
    fields: { name: string; value?: string | null }[]
    query: string[]
    routes: { namespace: string; name: string; verdict: string; text: string }[]
    changes: string[]
    decisions: Decision[]
    siblings: string[]
    parentId?: string | null
    client?: string | null
}

interface Question {
    path?: Record<string, string>
    query?: Record<string, unknown>
    signal: AbortSignal
}

const ask = get as unknown as (path: string, question: Question) => Promise<{ body: unknown }>

export const loadTraffic = async (signal: AbortSignal) =>
    (await ask('/groundwork/v1/gateway/traffic', { signal })).body as Traffic

export const loadRequests = async (only: string, signal: AbortSignal) =>
    (
        await ask('/groundwork/v1/gateway/requests', {
            query: { limit: 500, failed: only === 'failed', slow: only === 'slow' },
            signal,
        })
    ).body as RequestList

export const loadRequest = async (id: string, signal: AbortSignal) =>
    (await ask('/groundwork/v1/gateway/requests/{id}', { path: { id }, signal })).body as RequestExplanation
