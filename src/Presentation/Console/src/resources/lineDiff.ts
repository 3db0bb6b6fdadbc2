/** One line of a difference of two texts. */
export interface DiffedLine {
    kind: 'same' | 'removed' | 'added'
    text: string
    /** Numbers of the line in the older and in the newer text, from 1. */
    before?: number
    after?: number
}

/** Lines of both texts that may differ before the rest is shown as replaced: the work grows with the square of it. */
const mostDifferent = 1_000

/** The shortest difference by lines (Myers, "An O(ND) Difference Algorithm", 1986). */
export function diffLines(before: string, after: string): DiffedLine[] {
    const [a, b] = [split(before), split(after)]
    let start = 0
    while (start < a.length && start < b.length && a[start] === b[start]) start++
    let end = 0
    while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
    const steps = [
        ...Array<DiffedLine['kind']>(start).fill('same'),
        ...between(a.slice(start, a.length - end), b.slice(start, b.length - end)),
        ...Array<DiffedLine['kind']>(end).fill('same'),
    ]
    let [left, right] = [0, 0]
    return steps.map(kind => {
        const text = (kind === 'added' ? b[right] : a[left]) ?? ''
        const line: DiffedLine = { kind, text }
        if (kind !== 'added') line.before = ++left
        if (kind !== 'removed') line.after = ++right
        return line
    })
}

const split = (text: string) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

function between(a: string[], b: string[]): DiffedLine['kind'][] {
    if (!a.length || !b.length) return replaced(a, b)
    const reached = new Map<number, number>([[1, 0]])
    const rounds: Map<number, number>[] = []
    const most = Math.min(a.length + b.length, mostDifferent)
    for (let edits = 0; edits <= most; edits++) {
        rounds.push(new Map(reached))
        for (let k = -edits; k <= edits; k += 2) {
            const down = k === -edits || (k !== edits && at(reached, k - 1) < at(reached, k + 1))
            let x = down ? at(reached, k + 1) : at(reached, k - 1) + 1
            while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++
            reached.set(k, x)
            if (x >= a.length && x - k >= b.length) return back(rounds, a.length, b.length)
        }
    }
    return replaced(a, b)
}

const at = (reached: Map<number, number>, k: number) => reached.get(k) ?? -1

const replaced = (a: string[], b: string[]): DiffedLine['kind'][] => [
    ...a.map(() => 'removed' as const),
    ...b.map(() => 'added' as const),
]

function back(rounds: Map<number, number>[], x: number, y: number): DiffedLine['kind'][] {
    const steps: DiffedLine['kind'][] = []
    for (let edits = rounds.length - 1; edits >= 0; edits--) {
        const reached = rounds[edits] ?? new Map<number, number>()
        const k = x - y
        const down = k === -edits || (k !== edits && at(reached, k - 1) < at(reached, k + 1))
        const from = down ? k + 1 : k - 1
        const beginX = at(reached, from)
        const beginY = beginX - from
        const [endX, endY] = edits === 0 ? [0, 0] : down ? [beginX, beginY + 1] : [beginX + 1, beginY]
        while (x > endX && y > endY) {
            steps.push('same')
            x--
            y--
        }
        if (edits > 0) steps.push(down ? 'added' : 'removed')
        ;[x, y] = [beginX, beginY]
    }
    return steps.reverse()
}

/** A run of lines that are shown, or the number of same lines that are left out between two of them. */
export type DiffPart = { lines: DiffedLine[] } | { hidden: number; lines: DiffedLine[] }

/** Fewer same lines than this are shown: a line that tells of them would take as much room as most of them. */
const fewest = 5

/** Leaves out same lines that are further than this from what differs. */
export function folded(lines: DiffedLine[], around = 3): DiffPart[] {
    const near = new Uint8Array(lines.length)
    lines.forEach((line, index) => {
        if (line.kind === 'same') return
        near.fill(1, Math.max(0, index - around), index + around + 1)
    })
    for (let start = 0; start < near.length; start++) {
        if (near[start]) continue
        let end = start
        while (end < near.length && !near[end]) end++
        if (end - start < fewest) near.fill(1, start, end)
        start = end
    }
    const parts: DiffPart[] = []
    let shown: boolean | undefined
    lines.forEach((line, index) => {
        const show = near[index] === 1
        if (show !== shown) parts.push(show ? { lines: [] } : { hidden: 0, lines: [] })
        shown = show
        const part = parts.at(-1)
        part?.lines.push(line)
        if (part && 'hidden' in part) part.hidden++
    })
    return parts
}
