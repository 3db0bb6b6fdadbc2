import type { Fault } from '@/api/fault'

/** A resource that was changed since, and how the platform writes it: `route shop/cart`, `role viewer`. */
export interface Conflicting {
    text: string
    resource: { kind: string; namespace: string; name: string }
}

/** What stands against going back. Names may hold slashes; the namespace of namespaced kinds is before the first. */
export function conflictingOf(fault: Fault): Conflicting[] {
    return (fault.problem.fields ?? []).map(({ path }) => {
        const space = path.indexOf(' ')
        const [kind, rest] = [path.slice(0, space), path.slice(space + 1)]
        const slash = rest.indexOf('/')
        return slash < 0
            ? { text: path, resource: { kind, namespace: '', name: rest } }
            : { text: path, resource: { kind, namespace: rest.slice(0, slash), name: rest.slice(slash + 1) } }
    })
}
