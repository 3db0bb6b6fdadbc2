import { computed, type ComputedRef } from 'vue'
import { get } from '@/api/client'
import type { Fault } from '@/api/fault'
import type { TextFault } from './editor/editor'

/** The formats that the platform knows; all but the last two are checked. */
export const formats = ['json', 'yaml', 'xml', 'properties', 'flags', 'toml', 'text'] as const

/** The spec of the kind `setting`; a secret's content is its digest. */
export interface SettingSpec {
    format: string
    content: unknown
    secret?: boolean
    description?: string | null
    schema?: unknown
    promotedFrom?: { namespace: string; revision: number } | null
}

/** What a setting is called in the addresses of the API. */
export function placeOf(namespace: string, name: string): { namespace: string; group: string; dataId: string } {
    const slash = name.indexOf('/')
    return { namespace, group: name.slice(0, slash), dataId: name.slice(slash + 1) }
}

/** The format of a name when nothing else says so, as the platform takes it from the extension. */
export function formatOf(name: string): string {
    const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
    const known: Record<string, string> = {
        json: 'json',
        yaml: 'yaml',
        yml: 'yaml',
        xml: 'xml',
        properties: 'properties',
        flags: 'flags',
        toml: 'toml',
    }
    return name.includes('.') ? (known[extension] ?? 'text') : 'text'
}

/** The text of a setting, now or as of a revision; undefined: a secret that is not revealed, or not there then. */
export async function textOf(
    namespace: string,
    name: string,
    how: { asOf?: number; reveal?: boolean; signal?: AbortSignal } = {},
): Promise<string | undefined> {
    const answer = await get('/groundwork/v1/resources/{kind}/{namespace}/{name}', {
        path: { kind: 'setting', namespace, name },
        query: { asOf: how.asOf, reveal: how.reveal || undefined },
        ...(how.signal ? { signal: how.signal } : {}),
    })
    const { content } = (answer.body.spec ?? {}) as Partial<SettingSpec>
    return typeof content === 'string' ? content : undefined
}

/** Faults that stand in the text, at their places. */
export const placesOf = (fault: Fault | undefined): TextFault[] =>
    (fault?.problem.fields ?? [])
        .filter(field => field.line && (field.path === '' || field.path === 'spec.content'))
        .map(field => ({ line: field.line ?? 1, column: field.column ?? 1, message: field.message }))

/** Faults of everything else that was asked for. */
export const othersOf = (fault: Fault | undefined): { path: string; message: string }[] =>
    (fault?.problem.fields ?? []).filter(
        field => !(field.line && (field.path === '' || field.path === 'spec.content')),
    )

/** Where a page of a setting is. */
export const settingPath = (namespace: string, name: string): string =>
    `/settings/${namespace}/${name.split('/').map(encodeURIComponent).join('/')}`

/** The key of a resource in events, to compare with. */
export const useKey = (props: { namespace: string; name: string }): ComputedRef<string> =>
    computed(() => `${props.namespace}/${props.name}`)
