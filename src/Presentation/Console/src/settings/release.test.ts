import { describe, expect, it } from 'vitest'
import { formOf, isNobody, receiversOf } from './release'

describe('receivers of a gray release', () => {
    it('are what stands in the form, and nothing where nothing does', () => {
        const form = { instances: 'catalog/i-1\n stock/*, x/y', labels: 'zone=b plan=', percent: '12.5' }
        const to = receiversOf(form)
        expect(to).toEqual({
            instances: ['catalog/i-1', 'stock/*', 'x/y'],
            labels: { zone: 'b', plan: '' },
            percent: 12.5,
        })
        expect(receiversOf(formOf(to))).toEqual(to)
        expect(isNobody(to)).toBe(false)
    })

    it('are nobody when the form is empty; no percent is not none', () => {
        expect(receiversOf({ instances: ' ', labels: '', percent: '' })).toEqual({})
        expect(isNobody({})).toBe(true)
        expect(receiversOf({ instances: '', labels: '', percent: '0' })).toEqual({ percent: 0 })
    })
})
