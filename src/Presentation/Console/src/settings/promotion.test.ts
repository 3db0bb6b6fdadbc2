import { describe, expect, it } from 'vitest'
import { commandOf, plainOf, requestOf, type Difference, type Take } from './promotion'

const one: Difference = {
    group: 'shop',
    dataId: 'app.yaml',
    state: 'different',
    fromRevision: 7,
    toRevision: 5,
    same: 3,
    secret: false,
    keys: [
        { key: 'Price:Amount', state: 'changed-in-from', from: '2', to: '1', base: '1' },
        { key: 'New', state: 'only-in-from', from: '1' },
        { key: 'Mode', state: 'conflict', from: 'a', to: 'b', base: 'c' },
        { key: 'Own', state: 'only-in-to', to: '1' },
        { key: 'Both', state: 'changed-alike', from: '1', to: '1', base: '0' },
    ],
}
const choice = (keys: Iterable<readonly [string, Take]>) => new Map([['shop/app.yaml', new Map(keys)]])

describe('a promotion', () => {
    it('names no key where all are taken that may be, so that the text is the source’s to the letter', () => {
        expect([...plainOf(one).keys()]).toEqual(['Price:Amount', 'New'])
        expect(requestOf([one], choice(plainOf(one)))).toEqual([
            { group: 'shop', dataId: 'app.yaml', fromRevision: 7, toRevision: 5 },
        ])
    })

    it('names the keys that were chosen, and what is to become of those of the target', () => {
        const request = requestOf(
            [one],
            choice([
                ['New', 'plain'],
                ['Mode', 'from'],
                ['Own', 'to'],
            ]),
        )
        expect(request[0]?.keys).toEqual([{ key: 'New' }, { key: 'Mode', take: 'from' }, { key: 'Own', take: 'to' }])
        expect(commandOf('dev', 'prod', request)).toBe(
            'groundwork promote dev prod --setting shop/app.yaml --key New --take Mode --keep Own',
        )
    })

    it('names a part of those that may be taken', () => {
        expect(requestOf([one], choice([['New', 'plain']]))[0]?.keys).toEqual([{ key: 'New' }])
    })

    it('leaves out settings of which nothing was chosen', () => {
        expect(requestOf([one], choice([]))).toEqual([])
        expect(requestOf([one], new Map())).toEqual([])
    })

    it('takes a secret that may not be looked into as a whole', () => {
        const { keys: _, ...secret } = one
        expect(requestOf([secret], choice(plainOf(secret)))).toEqual([
            { group: 'shop', dataId: 'app.yaml', fromRevision: 7, toRevision: 5 },
        ])
    })
})
