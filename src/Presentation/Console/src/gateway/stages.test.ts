import { describe, expect, it } from 'vitest'
import { stagesOf } from './stages'

const match = { hosts: ['*'], path: '/orders/{id}' }

describe('the stages of a route', () => {
    it('are those that it asks for, in the order of the gateway', () => {
        const spec = {
            compress: {},
            cache: {},
            match,
            service: 'orders',
            limits: [{ name: 'all', bucket: { requests: 100 }, by: ['client', 'user'] }],
            inspect: {},
            openApi: { document: 'shop' },
            signedUrls: {},
            access: { token: { issuers: ['staff'] }, deny: { clients: ['10.0.0.0/8'] } },
            request: { path: { stripPrefix: '/api' }, headers: { set: {} } },
        }
        expect(stagesOf(spec)).toEqual([
            { stage: 'match', says: ['/orders/{id}'] },
            { stage: 'deny', says: ['deny'] },
            { stage: 'access', says: ['token', 'signedUrls'] },
            { stage: 'limit', says: ['all: 100 / 1 s · client + user'] },
            { stage: 'inspection', says: ['inspect', 'openApi'] },
            { stage: 'cache', says: [] },
            { stage: 'transform', says: ['stripPrefix /api', 'request.headers'] },
            { stage: 'compression', says: [] },
        ])
    })

    it('end where the gateway answers itself', () =>
        expect(stagesOf({ match, respond: { status: 200 } }).map(one => one.stage)).toEqual(['match', 'answer']))

    it('are one where nothing is asked for', () =>
        expect(stagesOf({ match, service: 'orders', access: null, limits: [] }).map(one => one.stage)).toEqual([
            'match',
        ]))
})
