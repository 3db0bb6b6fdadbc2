import type { components } from '@schema'
import { matcher } from '@/parts/matcher'
import { layered } from './layers'
import { standingOf, type Standing } from './state'

export type Graph = components['schemas']['ServiceGraph']
export type GraphNode = components['schemas']['ServiceGraphNode']
export type GraphEdge = components['schemas']['ServiceGraphEdge']

/** The platform's own gateway, which is no service that has a page. */
export const gateway = 'gateway'

/** Pixels: a name of 24 letters beside its mark, and a line of text with room to point at. */
export const columnWidth = 250
export const rowHeight = 34

/** A mark for each standing, so that no colour need be seen: for ECharts, and as a letter. */
export const marks: Record<Standing, { symbol: string; letter: string }> = {
    healthy: { symbol: 'circle', letter: '●' },
    partly: { symbol: 'triangle', letter: '▲' },
    protected: { symbol: 'triangle', letter: '▲' },
    down: { symbol: 'diamond', letter: '◆' },
    maintenance: { symbol: 'rect', letter: '■' },
    none: { symbol: 'emptyCircle', letter: '○' },
    unregistered: { symbol: 'emptyCircle', letter: '○' },
}

export interface Drawn {
    nodes: { node: GraphNode; standing: Standing; x: number; y: number }[]
    edges: GraphEdge[]
    width: number
    height: number
}

/** What matches the words, with those that it calls and that call it; all without words. */
export function matching(graph: Graph, words: string): Graph {
    if (!words.trim()) return graph
    const matches = matcher(words)
    const found = new Set(graph.nodes.filter(node => matches(node.id)).map(node => node.id))
    const edges = graph.edges.filter(edge => found.has(edge.from) || found.has(edge.to))
    const kept = new Set([...found, ...edges.flatMap(edge => [edge.from, edge.to])])
    return { ...graph, edges, nodes: graph.nodes.filter(node => kept.has(node.id)) }
}

/** Those that call or are called, in their places; the others are for the list alone. */
export function drawn(graph: Graph): Drawn {
    const connected = new Set(graph.edges.flatMap(edge => [edge.from, edge.to]))
    const nodes = graph.nodes.filter(node => connected.has(node.id))
    const places = layered(
        nodes.map(node => node.id),
        graph.edges,
    )
    const rows: number[] = []
    for (const { layer } of places.values()) rows[layer] = (rows[layer] ?? 0) + 1
    const tallest = Math.max(1, ...rows)
    return {
        edges: graph.edges,
        width: Math.max(1, rows.length) * columnWidth,
        height: tallest * rowHeight,
        nodes: nodes.map(node => {
            const { layer, row } = places.get(node.id) ?? { layer: 0, row: 0 }
            const before = ((tallest - (rows[layer] ?? 1)) * rowHeight) / 2
            return {
                node,
                standing: standingOf(node),
                x: layer * columnWidth + 12,
                y: before + (row + 0.5) * rowHeight,
            }
        }),
    }
}

/** For each service, whom it calls and who calls it, in the order of the graph's nodes. */
export function neighbours(graph: Graph): { node: GraphNode; calls: GraphEdge[]; callers: GraphEdge[] }[] {
    const of = new Map(
        graph.nodes.map(node => [node.id, { node, calls: [] as GraphEdge[], callers: [] as GraphEdge[] }]),
    )
    for (const edge of graph.edges) {
        of.get(edge.from)?.calls.push(edge)
        of.get(edge.to)?.callers.push(edge)
    }
    return [...of.values()]
}

export const pageOf = (node: Pick<GraphNode, 'namespace' | 'group' | 'service'>) =>
    `/services/${node.namespace}/${node.group}/${node.service}`
