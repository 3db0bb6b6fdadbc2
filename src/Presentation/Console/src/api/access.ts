import { who } from './session'

/**
 * True when the operator's roles grant this, so that what would be refused is not offered. The API decides each call
 * itself; this only spares people the asking. An empty namespace stands for node-wide kinds.
 */
export function may(verb: string, kind: string, namespace = '', name?: string): boolean {
    return (who.value?.grants ?? []).some(
        grant =>
            matches(grant.verbs, verb) &&
            matches(grant.kinds, kind) &&
            matches(grant.namespaces, namespace === '' ? '_' : namespace) &&
            // Without a name: whether there is any that it may.
            (name === undefined || matches(grant.names, name)),
    )
}

function matches(patterns: readonly string[], text: string): boolean {
    return patterns.some(
        pattern =>
            pattern === '*' || pattern === text || (pattern.endsWith('/*') && text.startsWith(pattern.slice(0, -1))),
    )
}
