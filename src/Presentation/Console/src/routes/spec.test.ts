import { describe, expect, it } from 'vitest'
import { serviceOf, toForm, toSpec, type RouteSpec } from './spec'

describe('a route', () => {
    it.each<RouteSpec>([
        { hosts: ['*'], path: '/**', service: 'catalog' },
        {
            hosts: ['shop.example.com', '*.example.com', '[::1]'],
            path: '/api/catalog/**',
            service: 'shop/blue@@catalog',
            methods: ['GET', 'HEAD'],
            stripPrefix: '/api',
            timeouts: { connectMs: 500, idleMs: 60_000 },
            exposeRevision: true,
        },
    ])('goes through its form unchanged: %j', spec => expect(toSpec(toForm(spec))).toEqual(spec))

    it('keeps what it has no field for, for the API to judge', () =>
        expect(toSpec(toForm({ hosts: ['*'], path: '/', service: 'x', weights: 1 } as RouteSpec))).toHaveProperty(
            'weights',
            1,
        ))

    it('takes hosts and methods however they are separated', () => {
        const form = { ...toForm({ hosts: [], path: '/', service: 'x' }), hosts: 'a, b\nc', methods: 'get,post' }
        expect(toSpec(form)).toMatchObject({ hosts: ['a', 'b', 'c'], methods: ['GET', 'POST'] })
    })

    it('leaves what is no number for the API to refuse', () =>
        expect(toSpec({ ...toForm({ hosts: ['*'], path: '/', service: 'x' }), connectMs: 'soon' }).timeouts).toEqual({
            connectMs: 'soon',
        }))

    it.each([
        ['catalog', 'here/default/catalog'],
        ['shop/catalog', 'shop/default/catalog'],
        ['shop/blue@@catalog', 'shop/blue/catalog'],
        ['blue@@catalog', 'here/blue/catalog'],
        ['', undefined],
        ['a/b/c', undefined],
    ])('names its service: %s', (service, name) => {
        const found = serviceOf({ service }, 'here')
        expect(found && `${found.namespace}/${found.group}/${found.service}`).toBe(name)
    })
})
