import { describe, expect, it } from 'vitest'
import { duration, perSecond, share, toneOf } from './numbers'

describe('figures', () => {
    it('have the digits that say something', () => {
        expect(perSecond(0.0567, 'en')).toBe('0.057')
        expect(perSecond(12.34, 'en')).toBe('12')
        expect(perSecond(1234.5, 'en')).toBe('1,230')
        expect(perSecond(0, 'en')).toBe('0')
    })

    it('tell a share, however small', () => {
        expect(share(1, 3, 'en')).toBe('33%')
        expect(share(1, 40, 'en')).toBe('2.5%')
        expect(share(1, 1_000_000, 'en')).toBe('< 0.1%')
        expect(share(0, 0, 'en')).toBe('0%')
    })

    it('tell times in their unit, and nothing of what is not known', () => {
        expect(duration(1.234, 'en')).toBe('1.2ms')
        expect(duration(250.4, 'en')).toBe('250ms')
        expect(duration(1500, 'en')).toBe('1.5s')
        expect(duration(undefined, 'en')).toBe('–')
    })

    it('are graver the more is wrong', () => {
        expect(toneOf(200)).toBe('good')
        expect(toneOf(404)).toBe('quiet')
        expect(toneOf(429, 'rate_limited')).toBe('warn')
        expect(toneOf(200, 'upstream_failed')).toBe('warn')
        expect(toneOf(502, 'upstream_connect')).toBe('bad')
    })
})
