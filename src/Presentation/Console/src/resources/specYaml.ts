import { Document, isCollection, isMap, isScalar, isSeq, LineCounter, parseDocument, stringify } from 'yaml'
import type { FieldPath } from './fieldPath'

/** Something that is wrong at a line of a text. */
export interface LineFault {
    line: number
    message: string
}

/** A text that was read: what it says, or why it cannot be. */
export interface ReadYaml {
    value: unknown
    faults: LineFault[]
    /** The line of a place in the document, or of the nearest that is there. */
    lineOf: (path: FieldPath) => number
}

/** An alias may name a collection many times; a text of a few lines could become gigabytes. */
const mostAliases = 50

const writing = { lineWidth: 0, minContentWidth: 0 } as const

export const writeYaml = (value: unknown): string => (value === undefined ? '' : stringify(value, writing))

export function readYaml(text: string): ReadYaml {
    const lines = new LineCounter()
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })
    const faults = document.errors.map(fault => ({
        line: lines.linePos(fault.pos[0]).line,
        message: firstLine(fault.message),
    }))
    const lineOf = (path: FieldPath) => lines.linePos(startOf(document, path)).line || 1
    if (faults.length) return { value: undefined, faults, lineOf }
    try {
        const value: unknown = document.toJS({ maxAliasCount: mostAliases })
        const strange = notJson(value, [])
        if (strange) faults.push({ line: lineOf(strange.path), message: strange.message })
        return { value, faults, lineOf }
    } catch (reason) {
        return { value: undefined, faults: [{ line: 1, message: firstLine((reason as Error).message) }], lineOf }
    }
}

/** The text changed as little as may be so that it says another value: comments and order stay. */
export function rewriteYaml(text: string, value: unknown): string {
    const document = parseDocument(text, { stringKeys: true })
    if (document.errors.length || !isCollection(document.contents) || typeof value !== 'object' || !value)
        return writeYaml(value)
    reconcile(document, [], document.toJS({ maxAliasCount: mostAliases }), value)
    return document.toString(writing)
}

function reconcile(document: Document.Parsed, path: (string | number)[], before: unknown, after: unknown): void {
    if (before === after) return
    const node = path.length ? document.getIn(path, true) : document.contents
    // An empty one is written as {} or [], which would go on for what comes into it.
    if (isCollection(node) && node.items.length === 0 && Object.keys(Object(after)).length > 0) node.flow = false
    if (isMap(node) && isPlain(before) && isPlain(after)) {
        for (const name of Object.keys(before)) if (!(name in after)) document.deleteIn([...path, name])
        for (const [name, value] of Object.entries(after)) reconcile(document, [...path, name], before[name], value)
        return
    }
    if (isSeq(node) && Array.isArray(before) && Array.isArray(after)) {
        for (let index = before.length - 1; index >= after.length; index--) document.deleteIn([...path, index])
        after.forEach((value: unknown, index) => {
            if (index < before.length) reconcile(document, [...path, index], before[index], value)
            else document.addIn(path, document.createNode(value))
        })
        return
    }
    if (isScalar(node) && typeof after !== 'object' && typeof before === typeof after) {
        // How it was written holds for a text of its sort: an empty one is quoted, one that gets lines becomes a block.
        if (before === '' || (typeof after === 'string' && after.includes('\n'))) delete node.type
        node.value = after
        return
    }
    document.setIn(path, document.createNode(after))
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)

function startOf(document: Document.Parsed, path: FieldPath): number {
    for (let length = path.length; length > 0; length--) {
        const parent = length > 1 ? document.getIn(path.slice(0, length - 1), true) : document.contents
        const last = path[length - 1]
        if (isMap(parent)) {
            const pair = parent.items.find(one => isScalar(one.key) && one.key.value === last)
            if (pair && isScalar(pair.key) && pair.key.range) return pair.key.range[0]
        } else if (isSeq(parent)) {
            const item = parent.items[Number(last)] as { range?: [number, number, number] | null } | undefined
            if (item?.range) return item.range[0]
        }
    }
    return 0
}

/** What YAML can say and JSON cannot, which the platform would be sent as something else. */
function notJson(value: unknown, path: (string | number)[]): { path: FieldPath; message: string } | undefined {
    if (typeof value === 'number') {
        if (!Number.isFinite(value)) return { path, message: `${value} is not a number of JSON` }
        if (Number.isInteger(value) && !Number.isSafeInteger(value))
            return { path, message: `${value} is too large to be exact` }
    } else if (Array.isArray(value)) {
        for (const [index, one] of value.entries()) {
            const found = notJson(one, [...path, index])
            if (found) return found
        }
    } else if (isPlain(value)) {
        for (const [name, one] of Object.entries(value)) {
            const found = notJson(one, [...path, name])
            if (found) return found
        }
    }
    return undefined
}

const firstLine = (text: string) => text.split('\n')[0]?.replace(/:$/, '') ?? ''
