import type { components } from '@schema'
import { effectOf, type Effect } from '@/resources/effect'

export type Changeset = components['schemas']['ChangesetDocument']
export type Entry = components['schemas']['HistoryEntry']

/** The changesets of one day, newest first. */
export interface Day {
    /** Of this machine's calendar, as 2026-11-21. */
    key: string
    at: string
    sets: Changeset[]
}

/** The day of a changeset, in this machine's calendar. */
export function dayOf(set: Changeset): string {
    const at = new Date(set.at)
    return `${at.getFullYear()}-${at.getMonth() + 1}-${at.getDate()}`
}

export function byDay(sets: readonly Changeset[]): Day[] {
    const days: Day[] = []
    for (const set of sets) {
        const key = dayOf(set)
        if (days.at(-1)?.key !== key) days.push({ key, at: set.at, sets: [] })
        days.at(-1)?.sets.push(set)
    }
    return days
}

/** What a changeset did, as counts by effect and kind: 2 settings created, 1 route deleted. */
export interface Count {
    effect: Effect
    kind: string
    entries: Entry[]
}

export function countsOf(set: Changeset): Count[] {
    const counts: Count[] = []
    for (const entry of set.changes) {
        const effect = effectOf(entry)
        const known = counts.find(one => one.effect === effect && one.kind === entry.resource.kind)
        if (known) known.entries.push(entry)
        else counts.push({ effect, kind: entry.resource.kind, entries: [entry] })
    }
    return counts
}

/**
 * A newer first page over the pages that are shown. Where the two do not meet there were more than a page meanwhile,
 * and the newer one stands alone: nothing is shown with a gap in it. A first page that has grown long is cut, so that
 * news make little of it anew.
 */
export function refreshed(
    newer: readonly Changeset[],
    pages: readonly (readonly Changeset[])[],
    pageSize: number,
): (readonly Changeset[])[] {
    const [first = [], ...rest] = pages
    const last = newer.at(-1)
    const at = last ? first.findIndex(one => one.revision === last.revision) : -1
    if (at < 0) return [newer]
    const grown = [...newer, ...first.slice(at + 1)]
    return grown.length <= 2 * pageSize
        ? [grown, ...rest]
        : [grown.slice(0, pageSize), grown.slice(pageSize), ...rest]
}
