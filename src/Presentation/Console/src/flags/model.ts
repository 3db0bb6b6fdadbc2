/** A document of feature flags, as docs/settings.md has it. */
export interface FlagDocument {
    flags: Record<string, Flag>
}

export interface Flag {
    description?: string
    enabled?: boolean
    variants?: Record<string, unknown>
    default?: string
    off?: string
    salt?: string
    rules?: FlagRule[]
}

export interface FlagRule {
    name: string
    users?: string[]
    labels?: Record<string, string | string[]>
    percent?: number
    serve: string | Record<string, number>
}

/** The variants of a flag that names none. */
export const onAndOff: Readonly<Record<string, unknown>> = { on: true, off: false }

export const variantsOf = (flag: Flag): Readonly<Record<string, unknown>> => flag.variants ?? onAndOff
export const defaultOf = (flag: Flag): string => flag.default ?? (flag.variants ? '' : 'off')
export const offOf = (flag: Flag): string => flag.off ?? ('off' in variantsOf(flag) ? 'off' : defaultOf(flag))
export const isEnabled = (flag: Flag): boolean => flag.enabled !== false
