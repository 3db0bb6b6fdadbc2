import { describe, expect, it } from 'vitest'
import { dialsOf, moved, sharesOf, withShares, type SharedOut } from './shares'

const split: SharedOut = {
    split: {
        by: 'cookie:user',
        parts: [
            { service: 'catalog', version: '1', weight: 95 },
            { service: 'catalog', version: '2', weight: 5 },
        ],
    },
}
const three: SharedOut = { split: { parts: [1, 1, 2].map((weight, at) => ({ service: `s${at}`, weight })) } }
const canary: SharedOut = {
    service: 'catalog',
    canary: [
        { service: 'catalog', version: '2', headers: [{ name: 'x-beta', present: true }] },
        { service: 'catalog', version: '2', percent: 5, metadata: { zone: 'a' } },
    ],
}

describe('the shares of a route', () => {
    it('are moved against each other, and are a hundred', () => {
        const same = dialsOf(split)
        expect(moved(same, same[1]!, 25).map(one => one.percent)).toEqual([75, 25])
        expect(withShares(split, moved(same, same[1]!, 25)).split).toEqual({
            by: 'cookie:user',
            parts: [
                { service: 'catalog', version: '1', weight: 75 },
                { service: 'catalog', version: '2', weight: 25 },
            ],
        })
    })

    it.each([0, 0.01, 12.34, 33.33, 50, 99.99, 100])('keep the proportion of the others at %s', percent => {
        const dials = dialsOf(three)
        const next = moved(dials, dials[2]!, percent)
        expect(next.reduce((sum, one) => sum + one.percent, 0)).toBeCloseTo(100, 6)
        expect(Math.abs(next[0]!.percent - next[1]!.percent)).toBeLessThanOrEqual(0.011)
        const weights = withShares(three, next).split!.parts.map(one => one.weight)
        expect(weights.every(one => Number.isInteger(one) && one >= 0 && one <= 10_000)).toBe(true)
        if (percent !== 50)
            expect(dialsOf(withShares(three, next)).map(one => one.percent)).toEqual(next.map(one => one.percent))
    })

    it('come back from nothing, and stay in bounds', () => {
        const dials = dialsOf(split)
        const none = moved(dials, dials[1]!, 400)
        expect(none.map(one => one.percent)).toEqual([0, 100])
        expect(moved(none, none[1]!, 40).map(one => one.percent)).toEqual([60, 40])
        expect(moved(dials, dials[1]!, -3).map(one => one.percent)).toEqual([100, 0])
    })

    it('of what is not moved stay as they were written', () => {
        expect(withShares(three, dialsOf(three))).toEqual(three)
        expect(withShares(canary, dialsOf(canary))).toEqual(canary)
    })

    it('of canary rules are moved by themselves', () => {
        const dials = dialsOf(canary)
        expect(dials.map(one => [one.target, one.percent, one.conditional])).toEqual([
            ['catalog (version 2)', 100, true],
            ['catalog (version 2, zone=a)', 5, false],
        ])
        const next = moved(dials, dials[1]!, 30)
        expect(withShares(canary, next).canary?.map(one => one.percent)).toEqual([undefined, 30])
        expect(sharesOf(canary, next)).toEqual([
            { target: 'catalog (version 2, zone=a)', percent: 30 },
            { target: 'catalog', percent: 70 },
        ])
    })

    it('are none where all goes one way', () => expect(dialsOf({ service: 'catalog' })).toEqual([]))
})
