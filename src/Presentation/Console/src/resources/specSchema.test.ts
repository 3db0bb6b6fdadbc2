import { describe, expect, it } from 'vitest'
import { blank, controlOf, fieldsOf, isMasked, resolved, type Schema } from './specSchema'

const route: Schema = {
    type: 'object',
    properties: {
        hosts: { type: 'array', items: { type: 'string' }, minItems: 1 },
        path: { type: 'string' },
        methods: { type: ['array', 'null'], items: { type: 'string', enum: ['GET', 'PUT'] } },
        timeouts: { type: ['object', 'null'], properties: { connectMs: { type: 'integer', minimum: 10 } } },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        key: { 'x-groundwork-secret': 'always' },
        text: { 'x-groundwork-secret': 'sometimes' },
        until: { type: ['string', 'null'], format: 'date-time' },
        state: { type: ['string', 'null'], enum: ['up', 'down', null] },
        rest: {},
        below: { $ref: '#/properties/timeouts' },
    },
    required: ['hosts', 'path', 'key'],
}

describe('a form of a schema', () => {
    it('has a control for every field', () => {
        expect(fieldsOf(route).map(field => `${field.name}:${controlOf(resolved(field.schema, route))}`)).toEqual([
            'hosts:list',
            'path:text',
            'methods:choices',
            'timeouts:object',
            'labels:map',
            'key:secret',
            'text:text',
            'until:time',
            'state:choice',
            'rest:any',
            'below:object',
        ])
    })

    it('begins with what must be there', () => expect(blank(route)).toEqual({ hosts: [''], path: '', key: '' }))

    it('knows a mask', () => {
        expect(isMasked({ secret: 'sha256:1' })).toBe(true)
        expect(isMasked({ secret: true })).toBe(false)
        expect(isMasked('secret')).toBe(false)
    })
})
