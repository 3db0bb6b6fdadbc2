import type { components } from '@schema'

export type Grant = Pick<components['schemas']['GrantDocument'], 'verbs' | 'kinds'> & {
    namespaces?: readonly string[] | null
    names?: readonly string[] | null
}

/** What a role may name to grant; the kinds of resources are asked of the platform. */
export const verbs = [
    'read',
    'read-secret',
    'write',
    'delete',
    'approve',
    'register',
    'renew',
    'discover',
    'operate',
    'audit',
    'backup',
    'administer',
] as const

/** What no resource is of, and what roles grant all the same. */
export const otherKinds = ['instance', 'node', 'audit', 'sign-in', 'sealing-key', 'working-key'] as const

export const isEverything = (grant: Grant): boolean =>
    [grant.verbs, grant.kinds, grant.namespaces ?? ['*'], grant.names ?? ['*']].every(one => one.includes('*'))

/** A grant as one writes it in a line: `read, write setting shop/orders/*`. */
export function inWords(grant: Grant): string {
    const where = `${grant.namespaces?.join(', ') ?? '*'}/${grant.names?.join(', ') ?? '*'}`
    return `${grant.verbs.join(', ')} · ${grant.kinds.join(', ')}${where === '*/*' ? '' : ` · ${where}`}`
}
