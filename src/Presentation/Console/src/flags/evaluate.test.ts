import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { dealOf, evaluate } from './evaluate'
import { readFlags } from './document'

interface Vectors {
    shares: { flag: string; salt: string; user: string; share: number; draw: number }[]
    documents: {
        name: string
        text: string
        cases: {
            flag: string
            user?: string
            labels?: Record<string, string>
            variant?: string
            value?: unknown
            reason: string
            rule?: string
        }[]
    }[]
}

/** The vectors that every reader of flags is held to. */
const vectors = JSON.parse(
    readFileSync(new URL('../../../../../tests/Support/Vectors/flags.json', import.meta.url), 'utf8'),
) as Vectors

describe('shares and draws', () => {
    for (const one of vectors.shares)
        it(`are those of the vectors for ${one.flag}, ${one.salt}, ${one.user}`, async () => {
            expect(await dealOf(one.flag, one.salt, one.user)).toEqual({ share: one.share, draw: one.draw })
        })
})

describe('a percentage', () => {
    it('ends before its own share, to the hundredth', async () => {
        const { share } = await dealOf('a', '', 'u')
        const chosen = async (hundredths: number) =>
            (
                await evaluate(
                    'a',
                    { rules: [{ name: 'some', percent: hundredths / 100, serve: 'on' }] },
                    {
                        user: 'u',
                        labels: {},
                    },
                )
            ).variant
        expect([await chosen(share), await chosen(share + 1)]).toEqual(['off', 'on'])
    })
})

describe('answers', () => {
    for (const document of vectors.documents)
        it(`are those of the vectors: ${document.name}`, async () => {
            const read = readFlags(document.text)
            expect(document.cases.length).toBeGreaterThan(0)
            for (const one of document.cases) {
                const flag = read.flags[one.flag]
                if (one.reason === 'unknown') {
                    expect(flag, one.flag).toBeUndefined()
                    continue
                }
                expect(flag, one.flag).toBeDefined()
                if (!flag) continue
                const choice = await evaluate(one.flag, flag, {
                    ...(one.user === undefined ? {} : { user: one.user }),
                    labels: one.labels ?? {},
                })
                expect(choice, JSON.stringify(one)).toEqual({
                    variant: one.variant,
                    value: one.value,
                    reason: one.reason,
                    ...(one.rule === undefined ? {} : { rule: one.rule }),
                })
            }
        })
})
