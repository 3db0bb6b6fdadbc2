/** Where each service stands in the picture of who calls whom. */
export interface Place {
    /** Column: callers are left of what they call. */
    layer: number
    /** Place in the column, from the top. */
    row: number
}

interface Call {
    from: string
    to: string
}

/** Sweeps over the columns; more of them no longer untangle anything that can be seen. */
const sweeps = 6

/**
 * Puts callers left of what they call, and in each column those that meet near each other: longest path, then
 * barycentres (Sugiyama). The same graph always gives the same picture. Calls in a circle are broken where the walk
 * closes them.
 */
export function layered(ids: readonly string[], calls: readonly Call[]): Map<string, Place> {
    const forward = withoutCircles(ids, calls)
    const layer = longestPaths(ids, forward)
    const columns: string[][] = []
    for (const id of [...ids].sort()) (columns[layer.get(id) ?? 0] ??= []).push(id)
    const above = neighbours(calls)
    for (let sweep = 0; sweep < sweeps; sweep++) {
        const order = sweep % 2 === 0 ? columns : [...columns].reverse()
        const at = centred(columns)
        for (const column of order) {
            const wish = new Map(column.map(id => [id, mean(above.get(id), at) ?? at.get(id) ?? 0]))
            column.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0) || (a < b ? -1 : 1))
            column.forEach((id, row) => at.set(id, row - column.length / 2))
        }
    }
    const places = new Map<string, Place>()
    columns.forEach((column, at) => column.forEach((id, row) => places.set(id, { layer: at, row })))
    return places
}

/** What each service calls, without the calls that close a circle, and without those to itself. */
function withoutCircles(ids: readonly string[], calls: readonly Call[]): Map<string, string[]> {
    const called = new Map<string, string[]>(ids.map(id => [id, []]))
    const isCalled = new Set<string>()
    for (const { from, to } of calls) {
        if (from === to || !called.has(to)) continue
        called.get(from)?.push(to)
        isCalled.add(to)
    }
    const kept = new Map<string, string[]>(ids.map(id => [id, []]))
    const state = new Map<string, 'open' | 'done'>()
    // Those that nobody calls begin, so that it is not the entrance that ends up in the middle.
    for (const root of [...ids].sort((a, b) => Number(isCalled.has(a)) - Number(isCalled.has(b)) || (a < b ? -1 : 1)))
        walk(root)
    return kept

    // Without recursion: a chain may be as long as there are services.
    function walk(root: string): void {
        if (state.has(root)) return
        state.set(root, 'open')
        const path = [{ id: root, next: 0 }]
        while (path.length > 0) {
            const here = path[path.length - 1]!
            const to = called.get(here.id)?.[here.next++]
            if (to === undefined) {
                state.set(here.id, 'done')
                path.pop()
            } else if (state.get(to) !== 'open') {
                kept.get(here.id)?.push(to)
                if (state.has(to)) continue
                state.set(to, 'open')
                path.push({ id: to, next: 0 })
            }
        }
    }
}

function longestPaths(ids: readonly string[], forward: Map<string, string[]>): Map<string, number> {
    const waiting = new Map<string, number>(ids.map(id => [id, 0]))
    for (const to of [...forward.values()].flat()) waiting.set(to, (waiting.get(to) ?? 0) + 1)
    const layer = new Map<string, number>(ids.map(id => [id, 0]))
    const ready = ids.filter(id => waiting.get(id) === 0)
    for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
        for (const to of forward.get(id) ?? []) {
            layer.set(to, Math.max(layer.get(to) ?? 0, (layer.get(id) ?? 0) + 1))
            const left = (waiting.get(to) ?? 1) - 1
            waiting.set(to, left)
            if (left === 0) ready.push(to)
        }
    }
    return layer
}

function neighbours(calls: readonly Call[]): Map<string, string[]> {
    const found = new Map<string, string[]>()
    for (const { from, to } of calls) {
        if (from === to) continue
        for (const [id, other] of [
            [from, to],
            [to, from],
        ] as const) {
            const list = found.get(id)
            if (list) list.push(other)
            else found.set(id, [other])
        }
    }
    return found
}

function centred(columns: readonly string[][]): Map<string, number> {
    const at = new Map<string, number>()
    for (const column of columns) column.forEach((id, row) => at.set(id, row - column.length / 2))
    return at
}

function mean(ids: readonly string[] | undefined, at: Map<string, number>): number | undefined {
    if (!ids || ids.length === 0) return undefined
    return ids.reduce((sum, id) => sum + (at.get(id) ?? 0), 0) / ids.length
}
