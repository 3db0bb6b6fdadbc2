import { toValue, type MaybeRefOrGetter } from 'vue'
import type { components } from '@schema'
import { get } from '@/api/client'
import { allPages, useLiveList, type Load } from './load'
import type { RowKind } from './rows'

export type Resource = components['schemas']['ResourceDocument']
export type ServiceSummary = components['schemas']['ServiceSummary']

const order = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0)

const byName: RowKind<Resource> = {
    key: one => `${one.namespace ?? ''}/${one.name}`,
    version: one => one.revision ?? 0,
    compare: (one, other) => order(one.namespace ?? '', other.namespace ?? '') || order(one.name, other.name),
}

/** Every resource of a kind that this operator may read, in a namespace or in all, kept up to date. */
export function useResources(
    kind: MaybeRefOrGetter<string>,
    namespace: MaybeRefOrGetter<string | undefined> = undefined,
): Load<readonly Resource[]> {
    return useLiveList(
        async signal =>
            toValue(kind)
                ? allPages(async page => {
                      const query = { namespace: toValue(namespace), limit: 1000, page }
                      const path = { kind: toValue(kind) }
                      return (await get('/groundwork/v1/resources/{kind}', { path, query, signal })).body
                  })
                : [],
        byName,
        'change',
        ({ resource, operation, revision }) => {
            const wanted = toValue(namespace)
            if (resource.kind !== toValue(kind) || (wanted !== undefined && resource.namespace !== wanted)) return
            const change = { key: byName.key(resource), version: revision }
            return operation === 'delete' ? change : { ...change, row: resource }
        },
        () => toValue(kind),
        () => toValue(namespace),
    )
}

const byService: RowKind<ServiceSummary> = {
    key: one => `${one.namespace}/${one.group}/${one.service}`,
    version: one => one.index,
    compare: (one, other) =>
        order(one.namespace, other.namespace) || order(one.group, other.group) || order(one.service, other.service),
}

/** Every service that this operator may discover, kept up to date. */
export function useServices(): Load<readonly ServiceSummary[]> {
    return useLiveList(
        signal =>
            allPages(
                async page =>
                    (await get('/groundwork/v1/registry/services', { query: { limit: 1000, page }, signal })).body,
            ),
        byService,
        'service',
        one => ({ key: byService.key(one), version: one.index, row: one }),
    )
}
