import { strToU8, zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { packed, unpacked, type Archived } from './archive'

const settings: Archived[] = [
    { name: 'g/a', spec: { format: 'yaml', content: 'a: é', description: 'why' }, labels: { team: 'x' } },
    { name: 'g/a/b.json', spec: { format: 'json', content: '{}', schema: { type: 'object' } } },
    { name: 'g/secret', spec: { format: 'text', content: { secret: 'sha256:00' }, secret: true } },
]

describe('an archive of settings', () => {
    it('comes back as it went, a setting that is called as a folder and a masked secret with it', () => {
        expect(unpacked(packed('default', settings))).toEqual(settings)
    })

    it('is the same bytes each time', () => {
        expect(packed('default', settings)).toEqual(packed('default', settings))
    })

    it('without a manifest has settings by their names', () => {
        expect(unpacked(zipSync({ 'shop/a.properties': strToU8('a=1') }))).toEqual([
            { name: 'shop/a.properties', spec: { format: 'properties', content: 'a=1' } },
        ])
    })

    it('is refused where it leads out, has no group, is no text, or names what is not there', () => {
        const text = strToU8('x')
        const manifest = strToU8('{"settings":[{"name":"g/a","spec":{"format":"text","content":{"file":"g/a"}}}]}')
        for (const [name, bytes] of [
            ['../a/b', text],
            ['a//b', text],
            ['alone', text],
            ['g/a', new Uint8Array([0xff, 0xfe])],
            ['.groundwork.json', manifest],
            ['.groundwork.json', strToU8('{}')],
        ] as const)
            expect(() => unpacked(zipSync({ [name]: bytes })), name).toThrow()
    })
})
