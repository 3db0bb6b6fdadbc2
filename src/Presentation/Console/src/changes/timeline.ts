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

export function byDay(sets: readonly Changeset[]): Day[] {
    const days: Day[] = []
    for (const set of sets) {
        const at = new Date(set.at)
        const key = `${at.getFullYear()}-${at.getMonth() + 1}-${at.getDate()}`
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
 * A newer first page over what is shown. Where the two do not meet there were more than a page meanwhile, and the newer
 * one stands alone: nothing is shown with a gap in it.
 */
export function joined(newer: readonly Changeset[], shown: readonly Changeset[]): Changeset[] {
    const last = newer.at(-1)
    if (!last) return []
    const at = shown.findIndex(one => one.revision === last.revision)
    return at < 0 ? [...newer] : [...newer, ...shown.slice(at + 1)]
}
