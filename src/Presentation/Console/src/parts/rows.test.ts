import { describe, expect, it } from 'vitest'
import { applied, type RowChange, type RowKind } from './rows'

interface Row {
    name: string
    version: number
}

const kind: RowKind<Row> = {
    key: row => row.name,
    version: row => row.version,
    compare: (one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0),
}
const row = (name: string, version: number): Row => ({ name, version })
const put = (name: string, version: number): RowChange<Row> => ({ key: name, version, row: row(name, version) })
const gone = (name: string, version: number): RowChange<Row> => ({ key: name, version })

describe('rows with changes', () => {
    const rows = [row('b', 1), row('d', 2), row('f', 3)]

    it('are replaced, inserted in order and removed', () => {
        const after = applied(rows, [put('d', 9), put('a', 4), put('e', 5), put('z', 6), gone('f', 7)], kind)
        expect(after).toEqual([row('a', 4), row('b', 1), row('d', 9), row('e', 5), row('z', 6)])
    })

    it('are the same array when nothing is new', () => {
        expect(applied(rows, [], kind)).toBe(rows)
        expect(applied(rows, [put('d', 2), put('f', 1), gone('b', 1), gone('x', 9)], kind)).toBe(rows)
    })

    it('take the newest of several changes of one row, in any order', () => {
        expect(applied(rows, [put('b', 5), put('b', 4)], kind)[0]).toEqual(row('b', 5))
        expect(applied(rows, [gone('b', 5), put('b', 6)], kind)[0]).toEqual(row('b', 6))
        expect(applied(rows, [put('b', 6), gone('b', 5)], kind)[0]).toEqual(row('b', 6))
        expect(applied(rows, [put('c', 6), gone('c', 7)], kind)).toBe(rows)
    })

    it('equal a list that was loaded anew, whatever the changes', () => {
        let seed = 7
        const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below
        for (let round = 0; round < 300; round++) {
            const truth = new Map<string, Row>()
            for (let n = 0; n < 20; n++) {
                const name = String.fromCharCode(97 + random(26))
                truth.set(name, row(name, n))
            }
            const before = [...truth.values()].sort(kind.compare)
            const changes: RowChange<Row>[] = []
            for (let version = 20; version < 30; version++) {
                const name = String.fromCharCode(97 + random(26))
                if (random(3) === 0) {
                    truth.delete(name)
                    changes.push(gone(name, version))
                } else {
                    truth.set(name, row(name, version))
                    changes.push(put(name, version))
                }
            }
            expect(applied(before, changes, kind)).toEqual([...truth.values()].sort(kind.compare))
        }
    })
})
