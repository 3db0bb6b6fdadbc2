import { describe, expect, it } from 'vitest'
import { csvOf } from './exported'

describe('an export', () => {
    it('quotes what must be, and leaves no formula', () => {
        const row = {
            sequence: 7,
            at: '2026-11-21T08:00:00Z',
            principal: 'operator:a',
            action: 'refused',
            target: '=HYPERLINK("x")',
            outcome: 'forbidden',
            count: 1,
            address: null,
            detail: 'a, "b"\nc',
        }
        expect(csvOf([row])).toBe(
            'sequence,at,principal,action,target,outcome,count,address,detail\r\n' +
                `7,2026-11-21T08:00:00Z,operator:a,refused,"'=HYPERLINK(""x"")",forbidden,1,,"a, ""b""\nc"\r\n`,
        )
    })
})
