import { may } from '@/api/access'

/** Names a service everywhere in this folder. */
export interface ServiceName {
    namespace: string
    group: string
    service: string
}

export const pathOf = (name: ServiceName, id?: string) => ({
    path: { namespace: name.namespace, service: name.service, id: id ?? '' },
    query: { group: name.group },
})

const resourceName = (name: ServiceName, id: string) => `${name.group}/${name.service}/${id}`

/** Draining takes the right to operate, or to register the instance itself. */
export const mayDrain = (name: ServiceName, id: string) =>
    may('operate', 'instance', name.namespace, resourceName(name, id)) ||
    may('register', 'instance', name.namespace, resourceName(name, id))

export const mayUndrain = (name: ServiceName, id: string) =>
    may('operate', 'instance', name.namespace, resourceName(name, id))

export const mayOverride = (name: ServiceName, id: string) =>
    may('write', 'instance-override', name.namespace, resourceName(name, id))

export const mayRemoveOverride = (name: ServiceName, id: string) =>
    may('delete', 'instance-override', name.namespace, resourceName(name, id))

export const mayRule = (name: ServiceName, verb: 'read' | 'write' | 'delete') =>
    may(verb, 'service-policy', name.namespace, `${name.group}/${name.service}`)
