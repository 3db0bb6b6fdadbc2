import { shallowRef, type ShallowRef } from 'vue'
import type { components } from '@schema'
import { get, put, remove } from '@/api/client'
import { Fault } from '@/api/fault'
import { useLoad, useNews, type Load } from './load'

export type Resource = components['schemas']['ResourceDocument']
export type ChangeAnswer = components['schemas']['ChangesetAnswer']

/** One resource that a form writes, which may not be there yet. */
export interface WrittenSpec<S> {
    /** As it is now; null: it is not there. */
    resource: Load<Resource | null>
    /** What somebody else wrote since the form was begun; what is saved next goes over it. */
    theirs: ShallowRef<S | null | undefined>
    /** What became of the last change. */
    answer: ShallowRef<ChangeAnswer | undefined>
    /** The form begins anew, from what is there now. */
    begin: () => void
    /** Throws the fault, after having read what is there now when somebody else was faster. */
    save: (spec: S, reason: string, options?: { dryRun?: boolean }) => Promise<void>
    erase: (reason: string) => Promise<void>
}

/** Reads and writes a resource, so that nobody's change is lost: each write says which revision it has seen. */
export function useSpec<S>(
    kind: string,
    name: () => { namespace: string; name: string } | undefined,
): WrittenSpec<S> {
    const theirs = shallowRef<S | null>()
    const answer = shallowRef<ChangeAnswer>()
    let base: number | undefined
    const path = () => ({ kind, namespace: '', name: '', ...name() })

    const resource = useLoad<Resource | null>(
        async signal => {
            if (!name()) return null
            try {
                return (await get('/groundwork/v1/resources/{kind}/{namespace}/{name}', { path: path(), signal }))
                    .body
            } catch (reason) {
                if (Fault.of(reason).status === 404) return null
                throw reason
            }
        },
        () => `${path().namespace}/${path().name}`,
    )
    useNews(
        'change',
        ({ resource: one }) => one?.kind === kind && one.namespace === path().namespace && one.name === path().name,
        resource.reload,
    )

    function begin(): void {
        base = resource.data.value?.revision ?? 0
        theirs.value = undefined
    }

    async function write(call: () => Promise<{ body: unknown }>, isDry: boolean): Promise<void> {
        try {
            const { body } = await call()
            if (isDry) return
            answer.value = body as ChangeAnswer
            await resource.reload()
            begin()
        } catch (reason) {
            const fault = Fault.of(reason)
            if (fault.code !== 'precondition_failed' && fault.code !== 'revision_conflict') throw fault
            await resource.reload()
            base = resource.data.value?.revision ?? 0
            theirs.value = (resource.data.value?.spec ?? null) as S | null
            throw fault
        }
    }

    const expected = () => base ?? resource.data.value?.revision ?? 0

    return {
        resource,
        theirs,
        answer,
        begin,
        save: (spec, reason, options) =>
            write(
                () =>
                    put('/groundwork/v1/resources/{kind}/{namespace}/{name}', {
                        path: path(),
                        query: { dryRun: options?.dryRun },
                        body: {
                            spec,
                            labels: resource.data.value?.labels ?? undefined,
                            version: resource.data.value?.version ?? undefined,
                        },
                        expect: expected(),
                        reason,
                    }),
                options?.dryRun === true,
            ),
        erase: reason =>
            write(
                () =>
                    remove('/groundwork/v1/resources/{kind}/{namespace}/{name}', {
                        path: path(),
                        expect: expected(),
                        reason,
                    }),
                false,
            ),
    }
}

/** What `groundwork apply` takes, as one line of a shell. */
export function applyCommand(kind: string, namespace: string, name: string, spec: unknown, reason: string): string {
    const text = JSON.stringify({ kind, namespace, name, spec }).replaceAll("'", `'\\''`)
    return `echo '${text}' | groundwork apply -f -${reasonOption(reason)}`
}

export function deleteCommand(kind: string, namespace: string, name: string, reason: string): string {
    return `groundwork delete ${kind} ${quoted(name)} -n ${namespace}${reasonOption(reason)}`
}

export const reasonOption = (reason: string) => (reason.trim() ? ` --reason ${quoted(reason.trim())}` : '')

/** A word of a shell: in quotes when it needs them. */
export function quoted(word: string): string {
    return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
