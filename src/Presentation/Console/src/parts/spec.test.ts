import { describe, expect, it } from 'vitest'
import { applyCommand, deleteCommand, quoted } from './spec'

describe('commands to copy', () => {
    it('quote what a shell would read otherwise', () => {
        expect(quoted('default/orders/10.0.0.7:8080')).toBe('default/orders/10.0.0.7:8080')
        expect(quoted("it's $HOME")).toBe(`'it'\\''s $HOME'`)
        expect(quoted('')).toBe(`''`)
    })

    it('hold the whole change', () => {
        expect(applyCommand('route', 'shop', 'a', { path: "/it's" }, 'new shop')).toBe(
            `echo '{"kind":"route","namespace":"shop","name":"a","spec":{"path":"/it'\\''s"}}'` +
                ` | groundwork apply -f - --reason 'new shop'`,
        )
        expect(deleteCommand('route', 'shop', 'a', ' ')).toBe('groundwork delete route a -n shop')
    })
})
