import { describe, expect, it } from 'vitest'
import { diffLines, folded } from './lineDiff'

const spell = (before: string, after: string) =>
    diffLines(before, after).map(line => ({ same: ' ', removed: '-', added: '+' })[line.kind] + line.text)

describe('a difference by lines', () => {
    it('is empty lines of same for the same text', () => {
        expect(spell('a\nb\n', 'a\nb\n')).toEqual([' a', ' b'])
        expect(spell('', '')).toEqual([])
    })

    it('is the shortest', () => {
        expect(spell('a\nb\nc\na\nb\nb\na', 'c\nb\na\nb\na\nc').filter(line => line[0] !== ' ')).toHaveLength(5)
        expect(spell('a\nb\nc', 'a\nx\nc')).toEqual([' a', '-b', '+x', ' c'])
        expect(spell('', 'a')).toEqual(['+a'])
        expect(spell('a', '')).toEqual(['-a'])
    })

    it('gives both texts back, whatever they are', () => {
        let seed = 7
        const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below
        const text = () => Array.from({ length: random(12) }, () => 'abc'[random(3)]).join('\n')
        for (let round = 0; round < 500; round++) {
            const [before, after] = [text(), text()]
            const lines = diffLines(before, after)
            const side = (kind: string) =>
                lines
                    .filter(line => line.kind !== kind)
                    .map(line => line.text)
                    .join('\n')
            expect(side('added')).toBe(before)
            expect(side('removed')).toBe(after)
        }
    })

    it('ends soon for texts that have nothing in common', () => {
        const many = (letter: string) => Array.from({ length: 20_000 }, (_, at) => letter + at).join('\n')
        expect(diffLines(many('a'), many('b'))).toHaveLength(40_000)
    })

    it('numbers the lines of both sides', () => {
        expect(diffLines('a\nb', 'b').map(line => [line.before, line.after])).toEqual([
            [1, undefined],
            [2, 1],
        ])
    })

    it('folds nothing where little is to be folded', () =>
        expect(folded(diffLines('1\n2\n3\n4\n5\n6\nx', '1\n2\n3\n4\n5\n6\ny'))).toHaveLength(1))

    it('folds what is far from any difference', () => {
        const before = Array.from({ length: 20 }, (_, at) => `line ${at}`)
        const after = before.with(10, 'other')
        const parts = folded(diffLines(before.join('\n'), after.join('\n')))
        expect(parts.map(part => ('hidden' in part ? part.hidden : `${part.lines.length} shown`))).toEqual([
            7,
            '8 shown',
            6,
        ])
    })
})
