import { describe, expect, it } from 'vitest'
import { byDay, countsOf, joined, type Changeset } from './timeline'

const set = (revision: number, at: string, changes: [string, string, number?][] = []): Changeset => ({
    revision,
    id: String(revision),
    author: 'operator:a',
    reason: '',
    at,
    changes: changes.map(([operation, kind, prior]) => ({
        revision,
        operation,
        resource: { kind, name: 'n' },
        author: 'operator:a',
        reason: '',
        at,
        prior,
    })),
})

describe('the timeline', () => {
    it('is by day', () => {
        const days = byDay([
            set(4, '2026-11-21T12:00:00'),
            set(3, '2026-11-21T00:00:00'),
            set(2, '2026-11-20T23:59:59'),
            set(1, '2026-10-20T12:00:00'),
        ])
        expect(days.map(day => [day.key, day.sets.map(one => one.revision)])).toEqual([
            ['2026-11-21', [4, 3]],
            ['2026-11-20', [2]],
            ['2026-10-20', [1]],
        ])
    })

    it('counts by effect and kind', () => {
        const changes: [string, string, number?][] = [
            ['put', 'setting'],
            ['put', 'setting'],
            ['put', 'setting', 3],
            ['delete', 'route', 2],
        ]
        expect(countsOf(set(9, '', changes)).map(one => `${one.entries.length} ${one.kind} ${one.effect}`)).toEqual([
            '2 setting created',
            '1 setting updated',
            '1 route deleted',
        ])
    })

    it('takes what is new and never has a gap', () => {
        const sets = (...revisions: number[]) => revisions.map(one => set(one, ''))
        const numbers = (all: Changeset[]) => all.map(one => one.revision)
        expect(numbers(joined(sets(5, 4, 3), sets(4, 3, 2, 1)))).toEqual([5, 4, 3, 2, 1])
        expect(numbers(joined(sets(9, 8, 7), sets(4, 3, 2)))).toEqual([9, 8, 7])
        expect(numbers(joined([], sets(4, 3)))).toEqual([])
        expect(numbers(joined(sets(2), []))).toEqual([2])
    })
})
