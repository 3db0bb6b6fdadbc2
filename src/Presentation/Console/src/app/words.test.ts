import { describe, expect, it } from 'vitest'
import { en, zh, type Words } from './words'

function* all(words: Words, path = ''): Generator<[string, string]> {
    for (const [name, word] of Object.entries(words)) {
        if (typeof word === 'string') yield [path + name, word]
        else yield* all(word, `${path}${name}.`)
    }
}

/** One and many may both say a number. */
const holes = (word: string) => [...new Set([...word.matchAll(/\{(\w+)\}/g)].map(one => one[1]))].sort()
const english = new Map(all(en))
const chinese = new Map(all(zh))

describe('words', () => {
    it('are the same in both languages, with the same holes', () => {
        expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort())
        for (const [name, word] of english) expect(holes(chinese.get(name) ?? ''), name).toEqual(holes(word))
    })

    it('are translated', () => {
        const same = [...english].filter(([name, word]) => chinese.get(name) === word && /[a-z]{3}/.test(word))
        expect(same.map(([name]) => name)).toEqual([])
    })
})

/** Where words are said: `t('name')`, or a beginning of names, `` t(`name.${what}`) ``. */
const sources = Object.entries(
    import.meta.glob<string>(['@/**/*.vue', '@/**/*.ts', '!@/**/*.test.ts', '!@/**/words.*.ts'], {
        eager: true,
        query: '?raw',
        import: 'default',
    }),
)
const said = (pattern: RegExp) =>
    sources.flatMap(([file, text]) => [...text.matchAll(pattern)].map(one => ({ file, name: one[1] ?? '' })))
const whole = said(/\bt\(\s*'([\w.-]+)'/g)
const begun = said(/\bt\(\s*`([\w.-]*)\$\{/g)

describe('what is said', () => {
    it('has words', () => {
        expect(whole.length).toBeGreaterThan(100)
        expect(whole.filter(one => !english.has(one.name))).toEqual([])
        const names = [...english.keys()]
        expect(begun.filter(one => !names.some(name => name.startsWith(one.name)))).toEqual([])
    })

    it('says every word', () => {
        const text = sources.map(([, one]) => one).join('\n')
        const unsaid = [...english.keys()].filter(
            name => !text.includes(`'${name}'`) && !begun.some(one => name.startsWith(one.name)),
        )
        expect(unsaid).toEqual([])
    })

    it('is said by words: templates hold no text of their own', () => {
        const own = sources
            .filter(([file]) => file.endsWith('.vue'))
            .flatMap(([file, text]) => {
                const template = /<template>([\s\S]*)<\/template>/.exec(text)?.[1] ?? ''
                const bare = template
                    .replace(/<!--[\s\S]*?-->/g, '')
                    .replace(/\{\{[\s\S]*?\}\}/g, '')
                    .replace(/<(code|pre)[\s>][\s\S]*?<\/\1>/g, '')
                    .replace(/<(?:"[^"]*"|'[^']*'|[^'">])*>/g, '\n')
                return [...bare.matchAll(/[A-Za-z]{3,}[^\n]*/g)].map(one => `${file}: ${one[0].trim()}`)
            })
            .filter(one => !one.endsWith(': Groundwork'))
        expect(own).toEqual([])
    })
})
