import { describe, expect, it } from 'vitest'
import { placeOf, protocolOf, rowsOf, titleOf, toneOf, type ProtocolView } from './protocols'

const view = (more: Partial<ProtocolView>): ProtocolView => ({
    protocol: 'nacos',
    names: [],
    shown: 0,
    callable: 0,
    states: {},
    instances: [],
    lacks: [],
    ...more,
})
const cell = (id: string, state: string) => ({ id, name: id, state, callable: true })

describe('protocols', () => {
    it('have their names, and the platform its words', () => {
        const t = (name: string) => `<${name}>`
        expect(['nacos', 'xds', 'groundwork', '', 'new'].map(one => titleOf(one, t))).toEqual([
            'Nacos',
            'xDS',
            '<protocols.own>',
            '<protocols.unknown>',
            'new',
        ])
    })

    it('are what the document of an instance begins with, whatever its client says', () => {
        expect(protocolOf({ registeredBy: 'nacos, a, b, key:x' })).toBe('nacos')
        expect(protocolOf({ registeredBy: 'consul, anonymous' })).toBe('consul')
        expect(protocolOf({})).toBe('')
    })

    it('were registered at an address, or on the machine itself', () => {
        const t = (name: string, holes: object) => `${name} ${JSON.stringify(holes)}`
        expect(placeOf('10.0.0.7', t)).toBe('protocols.at {"address":"10.0.0.7"}')
        expect(placeOf('uid 0', t)).toBe('protocols.socket {"uid":"0"}')
    })

    it('stand well when all that they show is called', () => {
        expect(toneOf(view({ shown: 2, callable: 2 }))).toBe('good')
        expect(toneOf(view({ shown: 2, callable: 1 }))).toBe('warn')
        expect(toneOf(view({}))).toBe('quiet')
        expect(toneOf(view({ refusal: 'no', shown: 2, callable: 2 }))).toBe('warn')
    })

    it('are put beside each other by instance, also one that only some still show', () => {
        const rows = rowsOf({
            namespace: 'default',
            group: 'default',
            service: 'orders',
            index: 1,
            node: 'n',
            instanceCount: 2,
            instances: [
                { id: 'a', protocol: 'nacos', client: '', principal: '' },
                { id: 'b', protocol: 'eureka', client: '', principal: '' },
            ],
            protocols: [
                view({ instances: [cell('b', 'x')] }),
                view({ instances: [cell('a', 'y'), cell('gone', 'z')] }),
            ],
            subscriberCount: 0,
            subscribers: [],
        })
        expect(rows.map(row => [row.id, row.origin?.protocol, row.cells.map(one => one?.state)])).toEqual([
            ['a', 'nacos', [undefined, 'y']],
            ['b', 'eureka', ['x', undefined]],
            ['gone', undefined, [undefined, 'z']],
        ])
    })
})
