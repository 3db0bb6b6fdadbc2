import type { components } from '@schema'

export type Difference = components['schemas']['SettingDifference']
export type KeyDifference = components['schemas']['KeyDifference']
type Promoted = components['schemas']['PromotedSetting']

/** What becomes of a key: taken unless the target has changed it, taken over that, or left and counted as seen. */
export type Take = 'plain' | 'from' | 'to'

/** Keys that were chosen, by setting; a setting that is compared as a whole has the empty key. */
export type Choice = ReadonlyMap<string, ReadonlyMap<string, Take>>

export const nameOf = (one: Difference): string => `${one.group}/${one.dataId}`

/** Keys that the source has changed or has alone: they are taken without overwriting anything of the target's own. */
export const isPlain = (key: KeyDifference): boolean =>
    key.state === 'changed-in-from' || key.state === 'only-in-from'

/** Keys that can only be taken on purpose: the target has changed them, or has them of its own. */
export const isContested = (key: KeyDifference): boolean =>
    key.state === 'conflict' || key.state === 'changed-in-to' || key.state === 'only-in-to'

/** The keys that a choice is of; a secret that may not be looked into is one. */
export const keysOf = (one: Difference): readonly KeyDifference[] =>
    one.keys ?? [{ key: '', state: one.toRevision === 0 ? 'only-in-from' : 'changed-in-from' }]

/** Everything of a setting that can be taken without overwriting. */
export const plainOf = (one: Difference): ReadonlyMap<string, Take> =>
    new Map(
        keysOf(one)
            .filter(isPlain)
            .map(key => [key.key, 'plain']),
    )

/**
 * What is asked of the platform. Where exactly all plain keys are chosen none is named: a text that the target has not
 * changed then becomes the source's to the letter.
 */
export function requestOf(settings: readonly Difference[], choice: Choice): Promoted[] {
    return settings.flatMap(one => {
        const chosen = choice.get(nameOf(one))
        if (!chosen || chosen.size === 0) return []
        const plain = plainOf(one)
        const whole =
            [...chosen.values()].every(take => take === 'plain') && [...plain.keys()].every(key => chosen.has(key))
        const keys = [...chosen].map(([key, take]) => ({ key, ...(take === 'plain' ? {} : { take }) }))
        return [
            {
                group: one.group,
                dataId: one.dataId,
                fromRevision: one.fromRevision,
                toRevision: one.toRevision,
                ...(whole ? {} : { keys }),
            },
        ]
    })
}

/** The command that does the same for one setting. */
export function commandOf(from: string, to: string, request: readonly Promoted[]): string {
    const words = ['groundwork promote', from, to]
    for (const one of request) {
        words.push(`--setting ${one.group}/${one.dataId}`)
        for (const key of one.keys ?? [])
            words.push(`--${key.take === 'from' ? 'take' : key.take === 'to' ? 'keep' : 'key'} ${key.key || "''"}`)
    }
    return words.join(' ')
}
