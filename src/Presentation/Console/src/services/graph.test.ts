import { describe, expect, it } from 'vitest'
import { drawn, matching, neighbours, type Graph } from './graph'

const graph = (...calls: string[]): Graph => {
    const edges = calls.map(call => {
        const [from = '', to = ''] = call.split('>')
        return { from, to, lastSeen: '2030-01-02T03:04:05Z', how: ['sdk'], openBreakers: 0 }
    })
    const ids = [...new Set(['alone', ...edges.flatMap(edge => [edge.from, edge.to])])]
    return {
        storeId: 's',
        index: 1,
        expireSeconds: 3600,
        services: ids.length,
        withoutCalls: 1,
        edges,
        nodes: ids.map(id => ({
            id,
            namespace: 'default',
            group: 'default',
            service: id,
            instances: 2,
            healthy: 2,
            callable: 2,
            protection: false,
            maintenance: false,
            registered: true,
        })),
    }
}

describe('the graph', () => {
    it('draws those with calls, each at its own place, and lists the others', () => {
        const { nodes, width, height } = drawn(graph('a>b', 'a>c', 'b>d'))
        expect(nodes.map(one => one.node.id).sort()).toEqual(['a', 'b', 'c', 'd'])
        expect(new Set(nodes.map(one => `${one.x}/${one.y}`)).size).toBe(4)
        for (const { x, y } of nodes) {
            expect(x).toBeLessThan(width)
            expect(y).toBeLessThan(height)
        }
        expect(neighbours(graph('a>b')).map(one => one.node.id)).toContain('alone')
    })

    it('keeps what matches, and whom that meets', () => {
        const found = matching(graph('a>orders', 'orders>c', 'c>d'), 'ORD')
        expect(found.nodes.map(node => node.id).sort()).toEqual(['a', 'c', 'orders'])
        expect(found.edges.map(edge => `${edge.from}>${edge.to}`)).toEqual(['a>orders', 'orders>c'])
        expect(matching(graph('a>b'), 'nothing').nodes).toEqual([])
    })
})
