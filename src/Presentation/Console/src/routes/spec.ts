import type { components } from '@schema'

export type RouteResource = components['schemas']['ResourceDocument']

/** The spec of the kind `route`. */
export interface RouteSpec {
    hosts: string[]
    path: string
    service: string
    methods?: string[] | null
    stripPrefix?: string | null
    timeouts?: { connectMs?: number; responseHeadMs?: number; idleMs?: number } | null
    exposeRevision?: boolean
}

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
    /** What stands in the spec and has no field here, for the API to judge. */
    others: Record<string, unknown>
}

const known = ['hosts', 'path', 'service', 'methods', 'stripPrefix', 'timeouts', 'exposeRevision']

/** What holds when a route does not say. */
export const timeoutDefaults = { connectMs: 1000, responseHeadMs: 3000, idleMs: 120_000 } as const

export function toForm(spec: Partial<RouteSpec>): RouteForm {
    return {
        hosts: lines(spec.hosts, '\n'),
        path: String(spec.path ?? ''),
        service: String(spec.service ?? ''),
        methods: lines(spec.methods, ' '),
        stripPrefix: String(spec.stripPrefix ?? ''),
        connectMs: text(spec.timeouts?.connectMs),
        responseHeadMs: text(spec.timeouts?.responseHeadMs),
        idleMs: text(spec.timeouts?.idleMs),
        exposeRevision: spec.exposeRevision ?? false,
        others: Object.fromEntries(Object.entries(spec).filter(([name]) => !known.includes(name))),
    }
}

export function toSpec(form: RouteForm): RouteSpec {
    const spec: RouteSpec = {
        ...form.others,
        hosts: words(form.hosts),
        path: form.path.trim(),
        service: form.service.trim(),
    }
    const methods = words(form.methods).map(method => method.toUpperCase())
    if (methods.length > 0) spec.methods = methods
    if (form.stripPrefix.trim()) spec.stripPrefix = form.stripPrefix.trim()
    const timeouts: Record<string, unknown> = {}
    for (const name of ['connectMs', 'responseHeadMs', 'idleMs'] as const) {
        const typed = form[name].trim()
        // What is not a number stays a text, for the API to say what is wrong with it.
        if (typed) timeouts[name] = Number.isNaN(Number(typed)) ? typed : Number(typed)
    }
    if (Object.keys(timeouts).length > 0) spec.timeouts = timeouts
    if (form.exposeRevision) spec.exposeRevision = true
    return spec
}

export const emptyForm = (): RouteForm => toForm({ hosts: [], path: '/**', service: '' })

/** The service of a route in a namespace, as `namespace/group/service`; undefined for what is no service's name. */
export function serviceOf(spec: Pick<RouteSpec, 'service'>, namespace: string): ServiceName | undefined {
    const match = /^(?:([^/]+)\/)?(?:(.+?)@@)?([^/@]+(?:@[^@/]+)*)$/.exec(spec.service)
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
export type Reach = 'reaches' | 'nobody' | 'absent' | 'hidden'

const text = (value: number | null | undefined) => (value == null ? '' : String(value))
const words = (typed: string) => typed.split(/[\s,]+/).filter(Boolean)
const lines = (list: unknown, between: string) => (Array.isArray(list) ? list.join(between) : String(list ?? ''))
