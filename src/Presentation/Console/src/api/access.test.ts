import { beforeEach, describe, expect, it } from 'vitest'
import { may } from './access'
import { who } from './session'

const grant = (verbs: string[], kinds: string[], namespaces: string[], names: string[]) => ({
    verbs,
    kinds,
    namespaces,
    names,
})

describe('may', () => {
    beforeEach(() => {
        who.value = {
            principal: 'operator:ann',
            roles: ['mixed'],
            grants: [
                grant(['read'], ['*'], ['*'], ['*']),
                grant(['write', 'delete'], ['setting'], ['shop'], ['orders/*']),
                grant(['write'], ['role'], ['_'], ['guest']),
            ],
        }
    })

    it('takes prefixes by whole segments', () => {
        expect(may('write', 'setting', 'shop', 'orders/limits')).toBe(true)
        expect(may('write', 'setting', 'shop', 'orders-old/limits')).toBe(false)
        expect(may('write', 'setting', 'prod', 'orders/limits')).toBe(false)
    })

    it('knows node-wide kinds by their namespace', () => {
        expect(may('write', 'role', '', 'guest')).toBe(true)
        expect(may('write', 'role', '', 'administrator')).toBe(false)
    })

    it('without a name says whether there is any', () => {
        expect(may('delete', 'setting', 'shop')).toBe(true)
        expect(may('delete', 'setting', 'prod')).toBe(false)
    })

    it('is nothing for nobody', () => {
        who.value = undefined
        expect(may('read', 'setting', 'shop')).toBe(false)
    })
})
