import type { TextFault } from './editor/editor'
import type { SettingSpec } from './setting'

/** What stands beside a setting's text, as a form has it. */
export interface Details {
    format: string
    description: string
    secret: boolean
    /** JSON, or nothing. */
    schema: string
}

export const detailsOf = (spec: SettingSpec): Details => ({
    format: spec.format,
    description: spec.description ?? '',
    secret: spec.secret === true,
    schema: spec.schema === undefined || spec.schema === null ? '' : JSON.stringify(spec.schema, null, 2),
})

/** The schema as it is sent, or where it is no JSON. The platform says what is wrong with it as a schema. */
export function readSchema(text: string): { schema?: unknown; fault?: TextFault } {
    if (text.trim() === '') return {}
    try {
        return { schema: JSON.parse(text) as unknown }
    } catch (reason) {
        const message = reason instanceof Error ? reason.message : String(reason)
        const at = Number(/position (\d+)/.exec(message)?.[1] ?? text.length)
        const before = text.slice(0, at).split('\n')
        return { fault: { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message } }
    }
}

/** The spec with this text; a secret's that is not written anew is given as it was read. */
export function specOf(details: Details, content: unknown): SettingSpec {
    const { schema } = readSchema(details.schema)
    return {
        format: details.format,
        content,
        ...(details.secret ? { secret: true } : {}),
        ...(details.description ? { description: details.description } : {}),
        ...(schema === undefined ? {} : { schema }),
    }
}
