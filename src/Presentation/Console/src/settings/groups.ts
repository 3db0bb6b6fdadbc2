import type { components } from '@schema'

type Resource = components['schemas']['ResourceDocument']

/** The settings of a group, which is the first part of their names. */
export interface Group {
    name: string
    settings: Resource[]
}

/** Settings by group, both in order; only those whose name has every word of the filter. */
export function groupsOf(settings: readonly Resource[], filter: string): Group[] {
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
    const groups = new Map<string, Group>()
    for (const one of settings) {
        if (!words.every(word => one.name.toLowerCase().includes(word))) continue
        const name = one.name.slice(0, one.name.indexOf('/'))
        const group = groups.get(name) ?? { name, settings: [] }
        group.settings.push(one)
        groups.set(name, group)
    }
    return [...groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
