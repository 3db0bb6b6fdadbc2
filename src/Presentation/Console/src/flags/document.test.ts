import { describe, expect, it } from 'vitest'
import { readFlags, writeFlag } from './document'

const text = `# what the shop shows
flags:
  new-checkout:      # spring
    description: The checkout
    rules:
      # those who test
      - {name: testers, users: [u-1, u-2], serve: on}
      - name: gold   # ours
        labels: {plan: gold}
        percent: 10
        serve: on
  banner:
    variants: {none: {}, red: {colour: red}}
    default: none
`

describe('a flag in its text', () => {
    it('changes alone, and every comment stays', () => {
        const flag = readFlags(text).flags['new-checkout']!
        flag.rules![1]!.percent = 25
        const after = writeFlag(text, 'new-checkout', flag)
        expect(after.replaceAll(/ +#/g, ' #')).toBe(
            text
                .replace('percent: 10', 'percent: 25')
                .replace('      # spring', '\n    # spring')
                .replaceAll(/ +#/g, ' #'),
        )
        expect(after.slice(after.indexOf('  banner:'))).toBe(text.slice(text.indexOf('  banner:')))
    })

    it('is written as it was when nothing changes', () => {
        expect(writeFlag(text, 'banner', readFlags(text).flags.banner)).toBe(text)
    })

    it('gains and loses members and rules', () => {
        const flag = readFlags(text).flags['new-checkout']!
        delete flag.description
        flag.enabled = false
        flag.rules!.push({ name: 'rest', serve: 'off' })
        const after = writeFlag(text, 'new-checkout', flag)
        expect(readFlags(after).flags['new-checkout']).toEqual(flag)
        expect(after).toContain('# those who test')
        expect(after).toContain('variants: {none: {}, red: {colour: red}}')
    })

    it('comes and goes', () => {
        const more = writeFlag(text, 'new', { default: 'on' })
        expect(Object.keys(readFlags(more).flags)).toEqual(['new-checkout', 'banner', 'new'])
        expect(writeFlag(more, 'new', undefined)).toBe(text)
        expect(readFlags(writeFlag('', 'first', {})).flags).toEqual({ first: {} })
    })

    it('is JSON where the text is, with its indentation', () => {
        const json = '{\n    "flags": {\n        "a": {}\n    }\n}\n'
        expect(writeFlag(json, 'b', { enabled: false })).toBe(
            '{\n    "flags": {\n        "a": {},\n        "b": {\n            "enabled": false\n        }\n    }\n}\n',
        )
    })

    it('is refused where the text is none', () => {
        for (const wrong of ['flags: [', 'flags: 1', '', '[]', 'a: {b: 1}', 'flags: {a: 1}'])
            expect(() => readFlags(wrong), wrong).toThrow()
    })

    it('keeps the words of YAML 1.2: on, off, yes and no are text', () => {
        expect(readFlags('flags: {a: {rules: [{name: r, labels: {beta: yes}, serve: on}]}}').flags.a?.rules).toEqual([
            { name: 'r', labels: { beta: 'yes' }, serve: 'on' },
        ])
    })
})
