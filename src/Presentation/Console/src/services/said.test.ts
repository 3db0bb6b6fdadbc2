import { describe, expect, it } from 'vitest'
import { overrideForm, overrideSpec, policyForm, policySpec, type PolicySpec } from './said'

describe('what operators say', () => {
    it.each([{ weight: 0 }, { status: 'down', reason: 'why' }, { disabled: true, weight: 10 }])(
        'of an instance goes through its form unchanged: %j',
        spec => expect(overrideSpec(overrideForm(spec))).toEqual(spec),
    )

    it.each<PolicySpec>([
        {},
        { maintenance: true, reason: 'schema 12' },
        { protectionThreshold: 0 },
        { probe: { type: 'tcp', port: 'admin' } },
        {
            protectionThreshold: 0.3,
            probe: {
                type: 'http',
                path: '/health',
                port: 'admin',
                intervalSeconds: 10,
                timeoutMs: 2000,
                expectedStatus: '200-299',
                unhealthyAfter: 3,
                healthyAfter: 2,
            },
        },
    ])('of a service goes through its form unchanged: %j', spec => expect(policySpec(policyForm(spec))).toEqual(spec))

    it('drops what belongs to another kind of probe', () => {
        const form = policyForm({ probe: { type: 'http', path: '/x', expectedStatus: '204' } })
        expect(policySpec({ ...form, probe: 'tcp' })).toEqual({ probe: { type: 'tcp' } })
    })

    it('leaves what is no number for the API to refuse', () =>
        expect(overrideSpec({ weight: 'lots', status: '', reason: ' ' })).toEqual({ weight: 'lots' }))
})
