import { describe, expect, it } from 'vitest'
import { en } from './en'
import { zh } from './zh'

type Words = { [name: string]: string | Words }

function* all(words: Words, path = ''): Generator<[string, string]> {
    for (const [name, word] of Object.entries(words)) {
        if (typeof word === 'string') yield [path + name, word]
        else yield* all(word, `${path}${name}.`)
    }
}

const holes = (word: string) => [...word.matchAll(/\{(\w+)\}/g)].map(one => one[1]).sort()

describe('words', () => {
    const english = new Map(all(en))
    const chinese = new Map(all(zh))

    it('are the same in both languages, with the same holes', () => {
        expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort())
        for (const [name, word] of english) expect(holes(chinese.get(name) ?? ''), name).toEqual(holes(word))
    })

    it('are translated', () => {
        const same = [...english].filter(([name, word]) => chinese.get(name) === word && /[a-z]{3}/.test(word))
        expect(same.map(([name]) => name)).toEqual([])
    })
})
