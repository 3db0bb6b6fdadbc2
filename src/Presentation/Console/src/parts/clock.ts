import { onScopeDispose, ref } from 'vue'

/** The time that relative times are told by; moves often enough for seconds to be believed. */
export const now = ref(Date.now())

setInterval(() => {
    if (!document.hidden) now.value = Date.now()
}, 5000)

/** Does something again and again while whoever asked is shown and the tab is in front. */
export function useEvery(milliseconds: number, run: () => unknown): void {
    const timer = setInterval(() => {
        if (!document.hidden) void run()
    }, milliseconds)
    onScopeDispose(() => clearInterval(timer))
}
