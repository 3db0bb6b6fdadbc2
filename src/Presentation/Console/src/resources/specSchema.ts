/** The part of JSON Schema that the platform's kinds are written in. */
export interface Schema {
    type?: string | string[]
    description?: string
    properties?: Record<string, Schema>
    required?: string[]
    items?: Schema
    additionalProperties?: Schema | boolean
    enum?: unknown[]
    default?: unknown
    minimum?: number
    maximum?: number
    minItems?: number
    maxItems?: number
    format?: string
    $ref?: string
    'x-groundwork-secret'?: 'always' | 'sometimes'
}

/** What a field of a form is; each has a control of its own. */
export type Control =
    | 'object'
    | 'list'
    | 'choices'
    | 'map'
    | 'choice'
    | 'switch'
    | 'integer'
    | 'number'
    | 'time'
    | 'text'
    | 'secret'
    | 'any'

/** A member of an object, in the order of its record. */
export interface Field {
    name: string
    schema: Schema
    required: boolean
}

/** A schema that refers to a place in the same document (a type that holds itself) is what stands there. */
export function resolved(schema: Schema, root: Schema): Schema {
    if (!schema.$ref?.startsWith('#')) return schema
    let found: unknown = root
    for (const step of schema.$ref.slice(1).split('/').filter(Boolean))
        found = (found as Record<string, unknown> | undefined)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')]
    return (found as Schema | undefined) ?? {}
}

const typesOf = (schema: Schema): string[] => (Array.isArray(schema.type) ? schema.type : [schema.type ?? ''])

export const isNullable = (schema: Schema): boolean => typesOf(schema).includes('null')

export function controlOf(schema: Schema): Control {
    if (schema['x-groundwork-secret'] === 'always') return 'secret'
    if (schema['x-groundwork-secret']) return 'text'
    if (schema.enum) return 'choice'
    const types = typesOf(schema)
    if (types.includes('object')) return schema.properties ? 'object' : 'map'
    if (types.includes('array')) return schema.items?.enum ? 'choices' : 'list'
    if (types.includes('boolean')) return 'switch'
    if (types.includes('integer')) return 'integer'
    if (types.includes('number')) return 'number'
    if (types.includes('string')) return schema.format === 'date-time' ? 'time' : 'text'
    return 'any'
}

export const fieldsOf = (schema: Schema): Field[] =>
    Object.entries(schema.properties ?? {}).map(([name, field]) => ({
        name,
        schema: field,
        required: schema.required?.includes(name) ?? false,
    }))

export const choicesOf = (schema: Schema): string[] =>
    (schema.enum ?? []).filter(one => one !== null).map(one => String(one))

/** What a new field begins with: everything that must be there, as empty as it may be. */
export function blank(schema: Schema, root: Schema = schema): unknown {
    const at = resolved(schema, root)
    switch (controlOf(at)) {
        case 'object':
            return Object.fromEntries(
                fieldsOf(at)
                    .filter(field => field.required)
                    .map(field => [field.name, blank(field.schema, root)]),
            )
        case 'list':
            return Array.from({ length: at.minItems ?? 0 }, () => blank(at.items ?? {}, root))
        case 'choices':
            return []
        case 'map':
            return {}
        case 'choice':
            return choicesOf(at)[0] ?? ''
        case 'switch':
            return false
        case 'integer':
        case 'number':
            return at.minimum ?? 0
        case 'any':
            return null
        default:
            return ''
    }
}

/** A secret as the platform shows it: its digest alone. Written back it stands for the secret in place. */
export const isMasked = (value: unknown): value is { secret: string } =>
    typeof value === 'object' && value !== null && typeof (value as { secret?: unknown }).secret === 'string'
