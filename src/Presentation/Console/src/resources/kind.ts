import { get } from '@/api/client'
import type { components } from '@schema'
import type { Schema } from './specSchema'

export type Kind = components['schemas']['KindDocument']

const known = new Map<string, Promise<Kind & { schema: Schema }>>()

/** A kind with its schema; it is the same for as long as the platform runs. */
export function kindOf(name: string): Promise<Kind & { schema: Schema }> {
    let kind = known.get(name)
    if (!kind) {
        kind = get('/groundwork/v1/kinds/{kind}', { path: { kind: name } }).then(
            answer => answer.body as Kind & { schema: Schema },
        )
        kind.catch(() => known.delete(name))
        known.set(name, kind)
    }
    return kind
}
