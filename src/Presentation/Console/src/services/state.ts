import type { components } from '@schema'

export type Instance = components['schemas']['InstanceDocument']
export type Service = components['schemas']['ServiceDocument']

/** What a list or a graph knows of a service. */
export interface Counts {
    instances: number
    healthy: number
    callable?: number
    protection?: boolean
    maintenance?: boolean
    registered?: boolean
}

export type Tone = 'good' | 'warn' | 'bad' | 'quiet'

/** How a service stands, the weightiest first; each has its word, its colour and, in the graph, its shape. */
export const standings = ['maintenance', 'protected', 'down', 'partly', 'healthy', 'none', 'unregistered'] as const
export type Standing = (typeof standings)[number]

export const tones: Record<Standing, Tone> = {
    maintenance: 'warn',
    protected: 'warn',
    down: 'bad',
    partly: 'warn',
    healthy: 'good',
    none: 'quiet',
    unregistered: 'quiet',
}

export function standingOf(service: Counts): Standing {
    if (service.registered === false) return 'unregistered'
    if (service.instances === 0) return 'none'
    if (service.maintenance) return 'maintenance'
    if (service.protection) return 'protected'
    if (service.callable === 0) return 'down'
    if (service.healthy < service.instances) return 'partly'
    return 'healthy'
}

/** Whether traffic goes to an instance: up, weight above 0, and healthy enough, or protected. */
export function isCalled(instance: Instance, service: Pick<Service, 'protection'>): boolean {
    return (
        (instance.status ?? 'up') === 'up' &&
        (instance.weight ?? 100) > 0 &&
        (instance.health?.state !== 'unhealthy' || service.protection)
    )
}

export const healthTone = (state: string | undefined): Tone =>
    state === 'healthy' ? 'good' : state === 'suspect' ? 'warn' : state === 'unhealthy' ? 'bad' : 'quiet'

export const statusTone = (status: string | undefined): Tone =>
    (status ?? 'up') === 'up' ? 'good' : status === 'down' ? 'bad' : 'warn'

/** The service as the command line names it. */
export function commandName(namespace: string, group: string, service: string): string {
    const named = group === 'default' ? service : `${group}@@${service}`
    return namespace === 'default' ? named : `${namespace}/${named}`
}

/** An instance as the command line names it: the namespace always, because ids may look like one. */
export function commandInstance(namespace: string, group: string, service: string, id: string): string {
    return `${namespace}/${group === 'default' ? service : `${group}@@${service}`}/${id}`
}
