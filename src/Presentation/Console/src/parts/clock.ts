import { onScopeDispose, ref, type Ref } from 'vue'

/** The time that relative times are told by; moves often enough for seconds to be believed. */
export const now = ref(Date.now())

setInterval(() => {
    if (!document.hidden) now.value = Date.now()
}, 5000)

/** Counts seconds while whoever asked is shown and the tab is in front. */
export function everySecond(): Ref<number> {
    const count = ref(0)
    const timer = setInterval(() => {
        if (!document.hidden) count.value++
    }, 1000)
    onScopeDispose(() => clearInterval(timer))
    return count
}
