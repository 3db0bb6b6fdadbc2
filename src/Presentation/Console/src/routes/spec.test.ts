import { describe, expect, it } from 'vitest'
import { emptyForm, inThisVersion, otherTarget, serviceOf, toForm, toSpec, type RouteSpec } from './spec'

describe('a route', () => {
    it.each<RouteSpec>([
        { match: { hosts: ['*'], path: '/**' }, service: 'catalog' },
        {
            match: {
                hosts: ['shop.example.com', '*.example.com', '[::1]'],
                path: '/api/catalog/**',
                methods: ['GET', 'HEAD'],
            },
            service: 'shop/blue@@catalog',
            request: { path: { stripPrefix: '/api' } },
            timeouts: { connectMs: 500, idleMs: 60_000 },
            exposeRevision: true,
        },
    ])('goes through its form unchanged: %j', spec => expect(toSpec(toForm(spec))).toEqual(spec))

    it('of the first version is written as it is now', () =>
        expect(
            toSpec(toForm({ hosts: ['*'], path: '/a/**', service: 'x', methods: ['GET'], stripPrefix: '/a' })),
        ).toEqual({
            match: { hosts: ['*'], path: '/a/**', methods: ['GET'] },
            service: 'x',
            request: { path: { stripPrefix: '/a' } },
        }))

    it('keeps what it has no field for, for the API to judge', () => {
        const spec = {
            match: { hosts: ['*'], path: '/', headers: [{ name: 'x', present: true }] },
            request: { headers: { remove: ['x'] }, path: { add: '/b' } },
            upstream: 'old',
        }
        expect(toSpec(toForm(spec))).toEqual(spec)
        expect(otherTarget(inThisVersion(spec))).toBe('old')
    })

    it('takes hosts and methods however they are separated', () => {
        const form = { ...emptyForm(), hosts: 'a, b\nc', methods: 'get,post' }
        expect(toSpec(form).match).toMatchObject({ hosts: ['a', 'b', 'c'], methods: ['GET', 'POST'] })
    })

    it('leaves what is no number for the API to refuse', () =>
        expect(toSpec({ ...emptyForm(), connectMs: 'soon' }).timeouts).toEqual({ connectMs: 'soon' }))

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
