import type { components } from '@schema'

export type RouteResource = components['schemas']['ResourceDocument']

/** The spec of the kind `route`. */
export interface RouteSpec {
    match: RouteMatch
    /** Absent where something else answers: an upstream, a split, a redirect, a fixed answer. */
    service?: string | null
    request?: { path?: { stripPrefix?: string | null } | null } | null
    timeouts?: { connectMs?: number; responseHeadMs?: number; idleMs?: number } | null
    exposeRevision?: boolean
}

export interface RouteMatch {
    hosts: string[]
    path: string
    methods?: string[] | null
}

type Fields = Record<string, unknown>

/** The fields of the form: lists are one text, empty is what holds when nothing is said. */
export interface RouteForm {
    hosts: string
    path: string
    service: string
    methods: string
    stripPrefix: string
    connectMs: string
    responseHeadMs: string
    idleMs: string
    exposeRevision: boolean
    /** What stands in the spec and has no field here, for the API to judge: of the spec and of its parts. */
    others: { spec: Fields; match: Fields; request: Fields; path: Fields }
}

/** What holds when a route does not say. */
export const timeoutDefaults = { connectMs: 1000, responseHeadMs: 3000, idleMs: 120_000 } as const

/** A route of the first version, which had no block for what it matches, as it is written now. */
export function inThisVersion(spec: object): RouteSpec {
    if ('match' in spec || !('hosts' in spec || 'path' in spec)) return { match: {}, ...spec } as RouteSpec
    const { hosts, path, methods, stripPrefix, ...rest } = spec as Fields
    const match = { hosts, path, ...(methods ? { methods } : {}) }
    return { match, ...(stripPrefix ? { request: { path: { stripPrefix } } } : {}), ...rest } as unknown as RouteSpec
}

export function toForm(written: object): RouteForm {
    const spec = inThisVersion(written)
    const { match, service, request, timeouts, exposeRevision, ...others } = spec as RouteSpec & Fields
    const { hosts, path, methods, ...otherMatch } = fieldsOf(match)
    const { path: change, ...otherRequest } = fieldsOf(request)
    const { stripPrefix, ...otherPath } = fieldsOf(change)
    return {
        hosts: lines(hosts, '\n'),
        path: String(path ?? ''),
        service: String(service ?? ''),
        methods: lines(methods, ' '),
        stripPrefix: String(stripPrefix ?? ''),
        connectMs: text(timeouts?.connectMs),
        responseHeadMs: text(timeouts?.responseHeadMs),
        idleMs: text(timeouts?.idleMs),
        exposeRevision: exposeRevision ?? false,
        others: { spec: others, match: otherMatch, request: otherRequest, path: otherPath },
    }
}

export function toSpec(form: RouteForm): RouteSpec {
    const methods = words(form.methods).map(method => method.toUpperCase())
    const match: RouteMatch = {
        hosts: words(form.hosts),
        path: form.path.trim(),
        ...(methods.length > 0 ? { methods } : {}),
        ...form.others.match,
    }
    const spec: RouteSpec = { match }
    if (form.service.trim()) spec.service = form.service.trim()
    const path = { ...(form.stripPrefix.trim() ? { stripPrefix: form.stripPrefix.trim() } : {}), ...form.others.path }
    const request = { ...(Object.keys(path).length > 0 ? { path } : {}), ...form.others.request }
    if (Object.keys(request).length > 0) spec.request = request
    const timeouts: Fields = {}
    for (const name of ['connectMs', 'responseHeadMs', 'idleMs'] as const) {
        const typed = form[name].trim()
        // What is not a number stays a text, for the API to say what is wrong with it.
        if (typed) timeouts[name] = Number.isNaN(Number(typed)) ? typed : Number(typed)
    }
    if (Object.keys(timeouts).length > 0) spec.timeouts = timeouts
    if (form.exposeRevision) spec.exposeRevision = true
    return { ...spec, ...form.others.spec }
}

export const emptyForm = (): RouteForm => toForm({ match: { hosts: [], path: '/**' } })

/** The service of a route in a namespace, as `namespace/group/service`; undefined for what is no service's name. */
export function serviceOf(spec: Pick<RouteSpec, 'service'>, namespace: string): ServiceName | undefined {
    const match = /^(?:([^/]+)\/)?(?:(.+?)@@)?([^/@]+(?:@[^@/]+)*)$/.exec(spec.service ?? '')
    if (!match) return undefined
    return { namespace: match[1] ?? namespace, group: match[2] ?? 'default', service: match[3] ?? '' }
}

export interface ServiceName {
    namespace: string
    group: string
    service: string
}

export const keyOf = (name: ServiceName) => `${name.namespace}/${name.group}/${name.service}`

/** Whether a request to the route would reach somebody. */
export type Reach = 'reaches' | 'nobody' | 'absent' | 'hidden' | 'other'

/** Where a route leads that names no service of its own; undefined for one that names nothing. */
export function otherTarget(spec: RouteSpec): string | undefined {
    const { upstream, split, redirect, respond } = spec as RouteSpec & Fields
    if (typeof upstream === 'string') return upstream
    if (split) return 'split'
    if (redirect) return 'redirect'
    return respond ? 'respond' : undefined
}

const fieldsOf = (value: unknown): Fields =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
const text = (value: number | null | undefined) => (value == null ? '' : String(value))
const words = (typed: string) => typed.split(/[\s,]+/).filter(Boolean)
const lines = (list: unknown, between: string) => (Array.isArray(list) ? list.join(between) : String(list ?? ''))
