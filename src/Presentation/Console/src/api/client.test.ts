import { describe, expect, it, vi } from 'vitest'

vi.mock('./session', () => ({ credential: () => Promise.resolve('t'), refused: () => undefined }))
const { addressOf } = await import('./client')

describe('the address of a call', () => {
    it('keeps the slashes of a name and escapes everything else', () => {
        expect(
            addressOf(
                '/r/{kind}/{namespace}/{name}',
                { kind: 'setting', namespace: 'a b', name: 'x/y?z' },
                undefined,
            ),
        ).toBe('/r/setting/a%20b/x/y%3Fz')
    })

    it('leaves out what is not given and repeats what is a list', () => {
        expect(addressOf('/r', undefined, { a: ['1', '2'], b: undefined, c: null, d: '', e: 0 })).toBe(
            '/r?a=1&a=2&e=0',
        )
    })
})
