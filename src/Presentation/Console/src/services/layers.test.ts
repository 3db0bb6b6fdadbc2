import { describe, expect, it } from 'vitest'
import { layered } from './layers'

const calls = (...texts: string[]) =>
    texts.map(text => {
        const [from = '', to = ''] = text.split('>')
        return { from, to }
    })

describe('the picture of who calls whom', () => {
    it('puts every caller left of what it calls', () => {
        const places = layered(['c', 'b', 'a', 'd'], calls('a>b', 'b>c', 'a>c', 'c>d'))
        expect(['a', 'b', 'c', 'd'].map(id => places.get(id)?.layer)).toEqual([0, 1, 2, 3])
    })

    it('does not hang on circles, on calls to oneself, or on services that are not shown', () => {
        const places = layered(['a', 'b', 'c'], calls('a>b', 'b>c', 'c>a', 'b>b', 'a>gone'))
        expect(['a', 'b', 'c'].map(id => places.get(id)?.layer)).toEqual([0, 1, 2])
    })

    it('gives each its own place', () => {
        const ids = Array.from({ length: 300 }, (_, at) => `s${at}`)
        const some = ids.slice(1).map((to, at) => ({ from: ids[Math.floor(at / 3)]!, to }))
        const places = layered(ids, some)
        expect(places.size).toBe(300)
        expect(new Set([...places.values()].map(one => `${one.layer}/${one.row}`)).size).toBe(300)
    })

    it('puts those together that belong together', () => {
        const places = layered(['a', 'b', 'x1', 'x2', 'y1', 'y2'], calls('a>x1', 'b>y1', 'a>x2', 'b>y2'))
        const rows = ['x1', 'x2', 'y1', 'y2'].map(id => places.get(id)?.row ?? 0)
        expect(Math.abs(rows[0]! - rows[1]!)).toBe(1)
        expect(Math.abs(rows[2]! - rows[3]!)).toBe(1)
    })

    it('is the same for the same calls in another order', () => {
        const ids = ['a', 'b', 'c', 'd', 'e']
        const some = calls('a>c', 'b>c', 'b>d', 'c>e', 'd>e')
        expect(layered([...ids].reverse(), some)).toEqual(layered(ids, some))
    })
})
