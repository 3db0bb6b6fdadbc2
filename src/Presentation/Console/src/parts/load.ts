import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef, type WatchSource } from 'vue'
import { Fault } from '@/api/fault'
import { onNews, type News } from '@/api/live'
import { applied, type RowChange, type RowKind } from './rows'

/** What a view shows and how it stands with it. */
export interface Load<T> {
    data: ShallowRef<T | undefined>
    fault: ShallowRef<Fault | undefined>
    loading: Ref<boolean>
    reload: () => Promise<void>
}

/**
 * Loads now and whenever a source changes. What was loaded stays shown while the next is on its way, and when it fails;
 * an answer that was overtaken is dropped.
 */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, ...sources: WatchSource[]): Load<T> {
    const data = shallowRef<T>()
    const fault = shallowRef<Fault>()
    const loading = ref(false)
    let current: AbortController | undefined
    let last: Promise<void> = Promise.resolve()

    function reload(): Promise<void> {
        return (last = run())
    }

    // Who waits for one that was overtaken wants what is there now: that is what the overtaker brings.
    async function run(): Promise<void> {
        current?.abort()
        const mine = (current = new AbortController())
        loading.value = true
        try {
            const loaded = await load(mine.signal)
            if (!mine.signal.aborted) {
                data.value = loaded
                fault.value = undefined
            }
        } catch (reason) {
            if (!mine.signal.aborted) fault.value = Fault.of(reason)
        } finally {
            if (!mine.signal.aborted) loading.value = false
        }
        if (current !== mine) await last
    }

    if (sources.length > 0) watch(sources, () => void reload())
    void reload()
    onScopeDispose(() => current?.abort())
    return { data, fault, loading, reload }
}

/**
 * Reloads soon after news that concern what is shown, and not more often than this many milliseconds: a storm of news
 * is one reload. Reloads too when news may have been missed.
 */
export function useNews<T extends keyof News>(
    type: T,
    concerns: (news: News[T]) => boolean,
    reload: () => unknown,
    pause = 300,
): void {
    let timer: ReturnType<typeof setTimeout> | undefined
    const soon = () => {
        timer ??= setTimeout(() => {
            timer = undefined
            void reload()
        }, pause)
    }
    const stops = [onNews(type, news => concerns(news) && soon()), onNews('missed', soon)]
    onScopeDispose(() => {
        stops.forEach(stop => stop())
        clearTimeout(timer)
    })
}

/** Every item of a paged list, a thousand a call. */
export async function allPages<T>(
    page: (page: string | undefined) => Promise<{ items: readonly T[]; nextPage?: string | null }>,
): Promise<T[]> {
    const all: T[] = []
    let next: string | undefined
    do {
        const one = await page(next)
        all.push(...one.items)
        next = one.nextPage ?? undefined
    } while (next)
    return all
}

/**
 * A list that is loaded once and then kept up to date by news, a few times a second: no load for each. What is heard
 * while it is loaded is applied to what was loaded.
 */
export function useLiveList<T, N extends keyof News>(
    load: (signal: AbortSignal) => Promise<T[]>,
    kind: RowKind<T>,
    type: N,
    change: (news: News[N]) => RowChange<T> | undefined,
    ...sources: WatchSource[]
): Load<readonly T[]> {
    const pace = 200
    let heard: RowChange<T>[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const list: Load<readonly T[]> = useLoad<readonly T[]>(
        async signal => {
            heard = []
            const loaded = await load(signal)
            return applied(loaded, heard, kind)
        },
        ...sources,
    )

    function apply(): void {
        timer = undefined
        // While it is loaded anew, what is heard waits for what is loaded.
        if (list.loading.value || !list.data.value) return
        list.data.value = applied(list.data.value, heard, kind)
        heard = []
    }

    const stops = [
        onNews(type, news => {
            const one = change(news)
            if (!one) return
            heard.push(one)
            timer ??= setTimeout(apply, pace)
        }),
        onNews('missed', () => void list.reload()),
    ]
    onScopeDispose(() => {
        stops.forEach(stop => stop())
        clearTimeout(timer)
    })
    return list
}
