import { get, put } from '@/api/client'
import { Fault } from '@/api/fault'
import type { components } from '@schema'
import type { Written } from './draft'

export type Resource = components['schemas']['ResourceDocument']
export type ChangesetAnswer = components['schemas']['ChangesetAnswer']

/** A resource's place, as the address and the API write it; `_` is the namespace of node-wide kinds. */
export interface Place {
    kind: string
    namespace: string
    name: string
}

export const placeOf = (resource: { kind: string; namespace?: string | null; name: string }): Place => ({
    kind: resource.kind,
    namespace: resource.namespace || '_',
    name: resource.name,
})

export const writtenOf = (resource: Resource): Written => ({
    ...(Object.keys(resource.labels ?? {}).length ? { labels: resource.labels as Record<string, string> } : {}),
    spec: resource.spec,
})

/** How people and the command line say where a resource is. */
export const spelled = (place: Place): string =>
    place.namespace === '_' ? `${place.kind} ${place.name}` : `${place.kind} ${place.name} -n ${place.namespace}`

/** The resource as of a revision; undefined when it was not there then. */
export async function resourceAt(place: Place, asOf?: number, signal?: AbortSignal): Promise<Resource | undefined> {
    try {
        const answer = await get('/groundwork/v1/resources/{kind}/{namespace}/{name}', {
            path: { ...place },
            query: { asOf },
            signal,
        })
        return answer.body
    } catch (reason) {
        if (reason instanceof Fault && reason.code === 'resource_not_found') return undefined
        throw reason
    }
}

export interface Writing {
    /** The revision that the writer has seen; 0: there is none yet. */
    expect?: number
    reason?: string
    dryRun?: boolean
}

export async function write(place: Place, written: Written, how: Writing): Promise<ChangesetAnswer> {
    const answer = await put('/groundwork/v1/resources/{kind}/{namespace}/{name}', {
        path: { ...place },
        query: { dryRun: how.dryRun || undefined },
        body: { spec: written.spec, labels: written.labels ?? {} },
        expect: how.expect,
        reason: how.reason,
    })
    return answer.body as ChangesetAnswer
}

/** Somebody else was faster: what was expected is not there any more. */
export const isConflict = (fault: Fault): boolean =>
    fault.code === 'precondition_failed' || fault.code === 'revision_conflict'
