import type { components } from '@schema'
import type { Instance } from './state'

/** How the answer of `/registry/services/{namespace}/{service}/protocols` is made up. */
export type ServiceProtocols = components['schemas']['ServiceProtocols']
export type ProtocolView = components['schemas']['ProtocolView']
export type Origin = components['schemas']['InstanceOrigin']

/** Names that are the same in every language; the platform's own are words. */
const titles: Record<string, string> = {
    nacos: 'Nacos',
    eureka: 'Eureka',
    consul: 'Consul',
    dns: 'DNS',
    doh: 'DoH',
    xds: 'xDS',
    etcd: 'etcd',
}

export function titleOf(protocol: string, t: (name: string) => string): string {
    if (protocol === 'groundwork') return t('protocols.own')
    if (protocol === 'gateway') return t('service.gateway')
    if (protocol === '') return t('protocols.unknown')
    return titles[protocol] ?? protocol
}

/** Where a registration came from: an address, or a user of the node's own machine. */
export const placeOf = (address: string, t: (name: string, holes: object) => string): string =>
    address.startsWith('uid ')
        ? t('protocols.socket', { uid: address.slice(4) })
        : t('protocols.at', { address })

/** The protocol that an instance was registered by: its document begins what it says of it with that. */
export const protocolOf = (instance: Pick<Instance, 'registeredBy'>): string =>
    (instance.registeredBy ?? '').split(', ')[0] ?? ''

/** How a protocol stands with a service. */
export function toneOf(view: ProtocolView): 'good' | 'warn' | 'quiet' {
    if (view.refusal) return 'warn'
    if (view.shown === 0) return 'quiet'
    return view.callable === view.shown ? 'good' : 'warn'
}

export type Cell = ProtocolView['instances'][number]

/** The instances, each with what every protocol shows of it: one that is registered no longer is shown by some. */
export function rowsOf(all: ServiceProtocols): { id: string; origin?: Origin; cells: (Cell | undefined)[] }[] {
    const origins = new Map(all.instances.map(one => [one.id, one]))
    const seen = all.protocols.map(view => new Map(view.instances.map(one => [one.id, one])))
    const ids = new Set([...origins.keys(), ...seen.flatMap(cells => [...cells.keys()])])
    return [...ids].map(id => ({ id, origin: origins.get(id), cells: seen.map(cells => cells.get(id)) }))
}
