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

interface TimeWords {
    relative: Intl.RelativeTimeFormat
    exact: Intl.DateTimeFormat
}

const known = new Map<string, TimeWords>()

/** How times are told in a language. Made once: a table has one in every row, and making one costs as much as a row. */
export function timeWords(locale: string): TimeWords {
    let words = known.get(locale)
    if (!words) {
        words = {
            relative: new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }),
            exact: new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' }),
        }
        known.set(locale, words)
    }
    return words
}
