/** A place in a document: names of members and indices of lists. */
export type FieldPath = readonly (string | number)[]

/**
 * Reads a path as the API's faults write it, `spec.grants[0].verbs`, in the document that it is about: a member's name
 * may hold dots, and the longest that is there is meant.
 */
export function parsePath(text: string, document: unknown): FieldPath {
    const path: (string | number)[] = []
    let value = document
    let rest = text
    while (rest) {
        const index = /^\[(\d+)\]\.?/.exec(rest)
        if (index) {
            path.push(Number(index[1]))
            rest = rest.slice(index[0].length)
            value = memberOf(value, Number(index[1]))
            continue
        }
        const name = longestMember(rest, value)
        path.push(name)
        rest = rest.slice(name.length).replace(/^\./, '')
        value = memberOf(value, name)
    }
    return path
}

function longestMember(text: string, value: unknown): string {
    const ends = (name: string) => [undefined, '.', '['].includes(text[name.length])
    const known = Object.keys((value as object | null) ?? {})
        .filter(name => name && text.startsWith(name) && ends(name))
        .sort((one, other) => other.length - one.length)[0]
    return known ?? (/^[^.[]+/.exec(text)?.[0] || text)
}

export const memberOf = (value: unknown, name: string | number): unknown =>
    typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[name] : undefined

export const valueAt = (document: unknown, path: FieldPath): unknown => path.reduce(memberOf, document)

/** The document with another value at a place; undefined takes the member away. What is not on the way is shared. */
export function withValue(document: unknown, path: FieldPath, value: unknown): unknown {
    const [first, ...rest] = path
    if (first === undefined) return value
    const changed = withValue(memberOf(document, first), rest, value)
    if (typeof first === 'number') {
        const list = Array.isArray(document) ? [...(document as unknown[])] : []
        if (changed === undefined) list.splice(first, 1)
        else list[first] = changed
        return list
    }
    const members = { ...(document as Record<string, unknown> | undefined) }
    if (changed === undefined) delete members[first]
    else members[first] = changed
    return members
}

export const pathKey = (path: FieldPath): string => JSON.stringify(path)

/** As people write it. */
export const spellPath = (path: FieldPath): string =>
    path.reduce<string>(
        (text, one) => (typeof one === 'number' ? `${text}[${one}]` : text ? `${text}.${one}` : one),
        '',
    )
