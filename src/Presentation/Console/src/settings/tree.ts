import type { components } from '@schema'
import { matcher } from '@/parts/matcher'

export type Summary = components['schemas']['SettingSummary']

/** Groups that are read with a group, below it, by `namespace/group`. */
export type Includes = ReadonlyMap<string, readonly string[]>

/** A line of the tree: a namespace, a group in it, or a setting of that. */
export interface TreeRow {
    /** `namespace`, `namespace/group` or `namespace/group/dataId`. */
    key: string
    level: 1 | 2 | 3
    /** What is shown: the part of the key that its parents do not have. */
    name: string
    /** Settings below it that the filter lets through. */
    count: number
    open: boolean
    /** Place among those of the same parent, from 1, and how many these are. */
    place: number
    of: number
    setting?: Summary
    /** Of a group: everything that is read with it, in rising precedence, itself last. Only itself: nothing else. */
    order?: string[]
}

/** The group that the SDK reads below a service's own. */
export const sharedGroup = 'shared'

/** Includes may stand in a circle only in a store that was written by something else. */
const maxLevels = 8

/**
 * Which groups are read for those that are asked for, in rising precedence: what a group includes stands before it, and
 * a group that comes up again keeps its first, lowest, place. As the platform has it (docs/settings.md).
 */
export function orderOf(includes: Includes, namespace: string, asked: readonly string[]): string[] {
    const order: string[] = []
    const add = (group: string, levels: number): void => {
        if (levels < 0 || order.includes(group)) return
        for (const one of includes.get(`${namespace}/${group}`) ?? []) add(one, levels - 1)
        if (!order.includes(group)) order.push(group)
    }
    for (const group of asked) add(group, maxLevels)
    return order
}

/** What stands in lists and is searched. */
const textOf = (setting: Summary) => `${keyOf(setting)} ${setting.format} ${setting.description ?? ''}`

export const nameOf = (setting: Summary): string => `${setting.group}/${setting.dataId}`
export const keyOf = (setting: Summary): string => `${setting.namespace}/${nameOf(setting)}`

/** Settings of namespaces and groups, all in order. */
export class SettingTree {
    private readonly namespaces = new Map<string, Map<string, Summary[]>>()

    constructor(
        settings: readonly Summary[],
        private readonly includes: Includes,
    ) {
        for (const one of settings) {
            const groups = this.namespaces.get(one.namespace) ?? new Map<string, Summary[]>()
            this.namespaces.set(one.namespace, groups)
            const group = groups.get(one.group)
            if (group) group.push(one)
            else groups.set(one.group, [one])
        }
    }

    /** The lines that are shown; with a filter, all that it lets through and what is above that. */
    rows(filter: string, isOpen: (key: string) => boolean): TreeRow[] {
        const matches = matcher(filter)
        const isFiltered = filter.trim() !== ''
        const shown = (key: string) => isFiltered || isOpen(key)
        const rows: TreeRow[] = []
        const first: TreeRow[] = []
        for (const namespace of [...this.namespaces.keys()].sort(ordinal)) {
            const row: TreeRow = {
                key: namespace,
                level: 1,
                name: namespace,
                count: 0,
                open: shown(namespace),
                place: 0,
                of: 0,
            }
            const below = this.groupRows(namespace, matches, shown)
            row.count = below.count
            if (isFiltered && below.count === 0) continue
            first.push(row)
            rows.push(row, ...(row.open ? below.rows : []))
        }
        number(first)
        return rows
    }

    private groupRows(namespace: string, matches: (text: string) => boolean, shown: (key: string) => boolean) {
        const rows: TreeRow[] = []
        const groups: TreeRow[] = []
        let count = 0
        const all = this.namespaces.get(namespace) ?? new Map<string, Summary[]>()
        for (const group of [...all.keys()].sort(ordinal)) {
            const settings = (all.get(group) ?? []).filter(one => matches(textOf(one)))
            if (settings.length === 0) continue
            count += settings.length
            const key = `${namespace}/${group}`
            const shared = all.has(sharedGroup) ? [sharedGroup] : []
            const row: TreeRow = {
                key,
                level: 2,
                name: group,
                count: settings.length,
                open: shown(key),
                place: 0,
                of: 0,
                order: orderOf(this.includes, namespace, [...shared, group]),
            }
            groups.push(row)
            rows.push(row)
            if (!row.open) continue
            settings.forEach((setting, at) =>
                rows.push({
                    key: keyOf(setting),
                    level: 3,
                    name: setting.dataId,
                    count: 0,
                    open: false,
                    place: at + 1,
                    of: settings.length,
                    setting,
                }),
            )
        }
        number(groups)
        return { rows, count }
    }
}

function number(rows: readonly TreeRow[]): void {
    rows.forEach((row, at) => {
        row.place = at + 1
        row.of = rows.length
    })
}

/** As the platform orders names: by their bytes, which are ASCII. */
const ordinal = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
