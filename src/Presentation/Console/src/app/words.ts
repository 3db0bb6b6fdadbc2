/**
 * Every word of the console, in the folder of what says it: `words.en.ts` and `words.zh.ts`. The same words as the API,
 * the command line and the documentation use.
 */
export type Words = { [name: string]: string | Words }

function merged(files: Record<string, Words>): Words {
    const all: Words = {}
    for (const words of Object.values(files)) add(all, words)
    return all
}

function add(into: Words, words: Words): void {
    for (const [name, word] of Object.entries(words)) {
        const there = into[name]
        if (there === undefined) into[name] = typeof word === 'string' ? word : structuredClone(word)
        else if (typeof there === 'string' || typeof word === 'string')
            throw new Error(`The word ${name} is there twice.`)
        else add(there, word)
    }
}

export const en = merged(import.meta.glob('@/*/words.en.ts', { eager: true, import: 'en' }))
export const zh = merged(import.meta.glob('@/*/words.zh.ts', { eager: true, import: 'zh' }))
