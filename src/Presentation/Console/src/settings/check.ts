import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef, type WatchSource } from 'vue'
import { Fault } from '@/api/fault'

/** What the platform says of something that is being written. */
export interface Check {
    /** What is wrong with it, or why it could not be asked. */
    fault: ShallowRef<Fault | undefined>
    /** True from a change until the answer to it. */
    waiting: Ref<boolean>
    /** True: the platform has said that there is no fault. */
    passed: Ref<boolean>
    reset: () => void
}

/** A pause in typing after which the platform is asked: longer than between two keys, shorter than a look up. */
const pauseMilliseconds = 350

/**
 * Asks the platform, by a dry run, whenever a source has rested for a moment: there is one validator, and it is the one
 * that publishes. An answer that was overtaken is dropped.
 */
export function useCheck(
    ask: (signal: AbortSignal) => Promise<unknown>,
    source: WatchSource,
    wanted: () => boolean,
): Check {
    const fault = shallowRef<Fault>()
    const waiting = ref(false)
    const passed = ref(false)
    let timer: ReturnType<typeof setTimeout> | undefined
    let current: AbortController | undefined

    function reset(): void {
        clearTimeout(timer)
        current?.abort()
        fault.value = undefined
        waiting.value = false
        passed.value = false
    }

    async function run(): Promise<void> {
        const mine = (current = new AbortController())
        let found: Fault | undefined
        try {
            await ask(mine.signal)
        } catch (reason) {
            found = Fault.of(reason)
        }
        if (mine.signal.aborted) return
        fault.value = found
        passed.value = found === undefined
        waiting.value = false
    }

    watch(source, () => {
        clearTimeout(timer)
        current?.abort()
        passed.value = false
        if (!wanted()) {
            reset()
            return
        }
        waiting.value = true
        timer = setTimeout(() => void run(), pauseMilliseconds)
    })
    onScopeDispose(reset)
    return { fault, waiting, passed, reset }
}
