import { describe, expect, it } from 'vitest'
import { spansOf } from './spans'

const at = (stage: string, atMs: number) => ({ stage, what: 'done', atMs })

describe('the spans of a request', () => {
    it('last until the next decision, and the last one until the end', () => {
        const spans = spansOf([at('match', 0), at('attempt', 10), at('attempt', 90)], 100)
        expect(spans.map(one => [one.from, one.ms, one.left, one.width])).toEqual([
            [0, 10, 0, 10],
            [10, 80, 10, 80],
            [90, 10, 90, 10],
        ])
    })

    it('are drawn inside, however short, and whatever the clock says', () => {
        for (const one of spansOf([at('match', 0), at('attempt', 100), at('attempt', 101)], 100)) {
            expect(one.width).toBeGreaterThan(0)
            expect(one.left + one.width).toBeLessThanOrEqual(100)
        }
        expect(spansOf([at('match', 0)], 0)[0]?.left).toBe(0)
        expect(spansOf([], 5)).toEqual([])
    })
})
