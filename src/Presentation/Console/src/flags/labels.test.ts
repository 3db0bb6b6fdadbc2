import { describe, expect, it } from 'vitest'
import { labelsToText, textToLabels, textToReader } from './labels'

describe('labels in a line', () => {
    it('come back as they went', () => {
        const labels = { country: ['NL', 'BE'], plan: 'gold', empty: '' }
        expect(labelsToText(labels)).toBe('country=NL,BE plan=gold empty=')
        expect(textToLabels(labelsToText(labels))).toEqual(labels)
        expect(textToLabels('  ')).toEqual({})
    })

    it('of a reader have one value each', () => {
        expect(textToReader('country=NL,BE a=b=c')).toEqual({ country: 'NL,BE', a: 'b=c' })
    })
})
