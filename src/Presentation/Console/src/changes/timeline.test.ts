import { describe, expect, it } from 'vitest'
import { byDay, countsOf, refreshed, type Changeset } from './timeline'

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

    const sets = (...revisions: number[]) => revisions.map(one => set(one, ''))
    const numbers = (pages: readonly (readonly Changeset[])[]) => pages.map(page => page.map(one => one.revision))

    it('takes what is new and never has a gap', () => {
        expect(numbers(refreshed(sets(5, 4, 3), [sets(4, 3, 2), sets(1)], 3))).toEqual([[5, 4, 3, 2], [1]])
        expect(numbers(refreshed(sets(9, 8, 7), [sets(4, 3, 2), sets(1)], 3))).toEqual([[9, 8, 7]])
        expect(numbers(refreshed([], [sets(4, 3)], 3))).toEqual([[]])
        expect(numbers(refreshed(sets(2), [], 3))).toEqual([[2]])
    })

    it('keeps what did not change as it is, and cuts a page that has grown long', () => {
        const older = sets(1)
        expect(refreshed(sets(5, 4), [sets(4, 3, 2), older], 2)[1]).toBe(older)
        const grown = refreshed(sets(7, 6), [sets(6, 5, 4, 3), older], 2)
        expect(numbers(grown)).toEqual([[7, 6], [5, 4, 3], [1]])
        expect(numbers(refreshed(sets(8, 7), grown, 2))).toEqual([[8, 7, 6], [5, 4, 3], [1]])
    })
})
