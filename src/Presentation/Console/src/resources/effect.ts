/** What a change did to its resource. */
export type Effect = 'created' | 'updated' | 'deleted'

export const effectOf = (entry: { operation: string; prior?: number | null }): Effect =>
    entry.operation === 'delete' ? 'deleted' : entry.prior ? 'updated' : 'created'

export const toneOf = (effect: Effect): 'good' | 'quiet' | 'bad' =>
    (({ created: 'good', updated: 'quiet', deleted: 'bad' }) as const)[effect]
