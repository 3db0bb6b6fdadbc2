/** Shares of a route's requests, as a slider moves them: the parts of its split, and its canary rules. */

/** A part of a split or a canary rule, as far as shares are concerned. */
interface Leading {
    service?: string | null
    upstream?: string | null
    version?: string | null
    metadata?: Record<string, string> | null
}

interface Part extends Leading {
    weight: number
}

interface Canary extends Leading {
    percent?: number | null
    headers?: unknown
    cookies?: unknown
}

/** What of a route's spec says who gets which share. */
export interface SharedOut extends Leading {
    split?: { parts: Part[]; by?: string | null } | null
    canary?: Canary[] | null
}

/** One share that can be moved. */
export interface Dial {
    kind: 'part' | 'canary'
    /** Among those of its kind. */
    index: number
    target: string
    /** Of all parts together, or of the requests that the rule holds for. */
    percent: number
    /** True for a rule that holds for some requests only, by their headers or cookies. */
    conditional: boolean
}

/** Hundredths of a percent: what weights and percentages are told apart by. */
const units = 10_000

export const targetOf = (one: Leading): string => {
    const some = [
        one.version ? `version ${one.version}` : '',
        ...Object.entries(one.metadata ?? {}).map(([name, value]) => `${name}=${value}`),
    ].filter(Boolean)
    return `${one.service ?? one.upstream ?? ''}${some.length ? ` (${some.join(', ')})` : ''}`
}

/** The shares of a route that can be moved; none where all of its requests go one way. */
export function dialsOf(spec: SharedOut): Dial[] {
    const canaries = (spec.canary ?? []).map((one, index) => ({
        kind: 'canary' as const,
        index,
        target: targetOf(one),
        percent: one.percent ?? 100,
        conditional: Boolean(one.headers || one.cookies),
    }))
    const parts = spec.split?.parts ?? []
    const percents = inHundred(parts.map(one => one.weight))
    return [
        ...canaries,
        ...(parts.length > 1
            ? parts.map((one, index) => ({
                  kind: 'part' as const,
                  index,
                  target: targetOf(one),
                  percent: percents[index] ?? 0,
                  conditional: false,
              }))
            : []),
    ]
}

/** The shares with one of them moved; the other parts of a split keep their proportion in what is left. */
export function moved(dials: readonly Dial[], which: Dial, percent: number): Dial[] {
    const to = Math.min(100, Math.max(0, Math.round(percent * 100) / 100))
    if (which.kind === 'canary') return dials.map(one => (one === which ? { ...one, percent: to } : one))
    const others = dials.filter(one => one.kind === 'part' && one !== which)
    const shares = inHundred(
        others.some(one => one.percent > 0) ? others.map(one => one.percent) : others.map(() => 1),
        units - Math.round(to * 100),
    )
    return dials.map(one => {
        if (one === which) return { ...one, percent: to }
        const at = others.indexOf(one)
        return at < 0 ? one : { ...one, percent: shares[at] ?? 0 }
    })
}

/** The spec with these shares; weights are as small as they can be. */
export function withShares<S extends SharedOut>(spec: S, dials: readonly Dial[]): S {
    const percentOf = (kind: Dial['kind'], index: number) =>
        dials.find(one => one.kind === kind && one.index === index)?.percent
    const next: S = { ...spec }
    if (spec.canary)
        next.canary = spec.canary.map((one, index) => {
            const percent = percentOf('canary', index)
            return percent === undefined || percent === (one.percent ?? 100) ? one : { ...one, percent }
        })
    if (spec.split && dials.some(one => one.kind === 'part')) {
        const weights = spec.split.parts.map((_, index) => Math.round((percentOf('part', index) ?? 0) * 100))
        const by = [100, 10].find(one => weights.every(weight => weight % one === 0)) ?? 1
        const isSame = inHundred(spec.split.parts.map(one => one.weight)).every(
            (percent, index) => percent === percentOf('part', index),
        )
        if (!isSame)
            next.split = {
                ...spec.split,
                parts: spec.split.parts.map((one, index) => ({ ...one, weight: (weights[index] ?? 0) / by })),
            }
    }
    return next
}

/** What each target gets of all requests, of those that no condition of a rule holds for; the largest parts last. */
export function sharesOf(spec: SharedOut, dials: readonly Dial[]): { target: string; percent: number }[] {
    const shares: { target: string; percent: number }[] = []
    let left = 100
    for (const one of dials.filter(dial => dial.kind === 'canary' && !dial.conditional)) {
        add(one.target, (left * one.percent) / 100)
        left -= (left * one.percent) / 100
    }
    const parts = dials.filter(dial => dial.kind === 'part')
    if (parts.length) for (const one of parts) add(one.target, (left * one.percent) / 100)
    else add(targetOf(spec.split?.parts[0] ?? spec), left)
    return shares

    function add(target: string, percent: number): void {
        const known = shares.find(one => one.target === target)
        if (known) known.percent += percent
        else shares.push({ target, percent })
    }
}

/** Weights as percents that make a hundred, or another whole: what is lost by rounding goes to the largest. */
function inHundred(weights: readonly number[], whole = units): number[] {
    const sum = weights.reduce((all, one) => all + one, 0)
    if (sum === 0) return weights.map(() => 0)
    const parts = weights.map(one => Math.round((one / sum) * whole))
    const largest = weights.indexOf(Math.max(...weights))
    parts[largest] = (parts[largest] ?? 0) + whole - parts.reduce((all, one) => all + one, 0)
    return parts.map(one => one / 100)
}
