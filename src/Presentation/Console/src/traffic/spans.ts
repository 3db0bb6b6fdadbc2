import type { Decision } from './model'

/** A piece of a request's time: from one decision to the next, told by what begins it. */
export interface Span {
    stage: string
    what: string
    about: string | undefined
    from: number
    /** Milliseconds until the next decision, or the end. */
    ms: number
    /** Where it begins and how much of the whole it is, in percent. */
    left: number
    width: number
}

/** The least that is drawn, in percent: what took no time is still there. */
const least = 0.6

export function spansOf(decisions: readonly Decision[], whole: number): Span[] {
    return decisions.map((one, at) => {
        const until = decisions[at + 1]?.atMs ?? Math.max(whole, one.atMs)
        const ms = Math.max(0, until - one.atMs)
        const left = whole > 0 ? Math.min(100 - least, (one.atMs / whole) * 100) : 0
        return {
            stage: one.stage,
            what: one.what,
            about: one.about ?? undefined,
            from: one.atMs,
            ms,
            left,
            width: Math.min(100 - left, Math.max(least, whole > 0 ? (ms / whole) * 100 : least)),
        }
    })
}
