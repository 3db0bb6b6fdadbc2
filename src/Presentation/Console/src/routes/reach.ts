import { computed } from 'vue'
import type { components } from '@schema'
import { may } from '@/api/access'
import { get } from '@/api/client'
import { allPages, useLoad, useNews } from '@/parts/load'
import { keyOf, otherTarget, serviceOf, type Reach, type RouteSpec, type ServiceName } from './spec'

type Summary = components['schemas']['ServiceSummary']

/** Where a route leads now. */
export interface Reached {
    reach: Reach
    /** Undefined for what is no service's name. */
    service?: ServiceName
    /** Instances that are called. */
    callable: number
}

/** Knows of every route whether a request would reach somebody, as services come and go. */
export function useReach() {
    const services = useLoad(signal =>
        allPages<Summary>(
            async page =>
                (await get('/groundwork/v1/registry/services', { query: { limit: 1000, page }, signal })).body,
        ),
    )
    useNews('service', () => true, services.reload, 1000)
    const byKey = computed(() => new Map((services.data.value ?? []).map(one => [keyOf(one), one])))

    function of(spec: RouteSpec, namespace: string): Reached {
        if (!spec.service && otherTarget(spec)) return { reach: 'other', callable: 0 }
        const service = serviceOf(spec, namespace)
        if (!service) return { reach: 'absent', callable: 0 }
        const found = byKey.value.get(keyOf(service))
        if (found) {
            const callable = found.callable ?? 0
            return { reach: callable > 0 ? 'reaches' : 'nobody', service, callable }
        }
        const isVisible = may('discover', 'instance', service.namespace, `${service.group}/${service.service}/*`)
        return { reach: isVisible ? 'absent' : 'hidden', service, callable: 0 }
    }

    const names = computed(() =>
        (services.data.value ?? []).map(one =>
            one.group === 'default'
                ? `${one.namespace}/${one.service}`
                : `${one.namespace}/${one.group}@@${one.service}`,
        ),
    )
    return { of, names, services }
}

export const reachTones = { reaches: 'good', nobody: 'bad', absent: 'warn', hidden: 'quiet', other: 'quiet' } as const
