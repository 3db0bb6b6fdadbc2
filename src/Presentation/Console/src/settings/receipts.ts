import { onScopeDispose, type Ref, type ComputedRef } from 'vue'
import type { components } from '@schema'
import { get } from '@/api/client'
import { onNews } from '@/api/live'
import { useLoad, type Load } from '@/parts/load'
import { placeOf } from './setting'

export type Receipts = components['schemas']['SettingReceipts']
export type Receipt = components['schemas']['ReaderReceipt']

/** In the order of who needs somebody first. */
export const states = ['rejected', 'old', 'delivered', 'applied'] as const
const tones = { applied: 'good', delivered: 'quiet', rejected: 'bad', old: 'warn' } as const
export const toneOf = (state: string) => tones[state as keyof typeof tones] ?? 'quiet'

/** News within this many milliseconds are one reading: a hundred instances confirm at once. */
const pauseMilliseconds = 200

/**
 * What readers say through another node is heard of by asking: rarely, and only while somebody has not said the last
 * word.
 */
const askMilliseconds = 10_000

/** What became of a setting at its readers, of one revision or of now; moves as they say it. */
export function useReceipts(
    setting: () => { namespace: string; name: string },
    revision: Ref<number | undefined> | ComputedRef<number | undefined>,
): Load<Receipts> {
    const load = useLoad(
        async signal => {
            const { namespace, name } = setting()
            const answer = await get('/groundwork/v1/receipts/{namespace}/{group}/{dataId}', {
                path: placeOf(namespace, name),
                query: { revision: revision.value },
                signal,
            })
            return answer.body
        },
        () => `${setting().namespace}/${setting().name}@${revision.value}`,
    )

    let timer: ReturnType<typeof setTimeout> | undefined
    const soon = () => {
        timer ??= setTimeout(() => {
            timer = undefined
            void load.reload()
        }, pauseMilliseconds)
    }
    const asking = setInterval(() => {
        const said = load.data.value
        if (!document.hidden && said && said.applied + said.rejected < said.readers.length) soon()
    }, askMilliseconds)
    const stops = [
        onNews('receipt', news => {
            const { namespace, name } = setting()
            if (news.namespace === namespace && `${news.group}/${news.dataId}` === name) soon()
        }),
        onNews('missed', soon),
    ]
    onScopeDispose(() => {
        stops.forEach(stop => stop())
        clearTimeout(timer)
        clearInterval(asking)
    })
    return load
}
