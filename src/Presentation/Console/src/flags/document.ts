import { Document, isMap, isSeq, parseDocument, type Node, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml'
import type { Flag, FlagDocument } from './model'

/** Reads a text of flags, JSON or YAML; throws what is wrong with it. The platform checks what this does not. */
export function readFlags(text: string): FlagDocument {
    const read = parse(text).toJS() as Partial<FlagDocument> | null
    const flags = read?.flags
    if (typeof flags !== 'object' || flags === null || Array.isArray(flags))
        throw new Error('It has no object flags.')
    for (const [name, flag] of Object.entries(flags))
        if (typeof flag !== 'object' || flag === null) throw new Error(`The flag ${name} is no object.`)
    return { flags }
}

/**
 * The text with one flag as it is given; undefined takes it away. What does not change stays as it was written, with
 * its comments; JSON has none, and is written anew as it is indented.
 */
export function writeFlag(text: string, name: string, flag: Flag | undefined): string {
    if (isJson(text)) {
        const read = text.trim() === '' ? { flags: {} } : (JSON.parse(text) as FlagDocument)
        if (flag) read.flags[name] = flag
        else delete read.flags[name]
        return `${JSON.stringify(read, null, indentOf(text))}\n`
    }
    const document = parse(text)
    if (!isMap(document.contents)) document.contents = document.createNode({ flags: {} }) as typeof document.contents
    const flags = document.get('flags')
    if (isMap<Scalar, Node>(flags) && !flags.flow && flags.items.length > 0)
        return splice(text, document, flags, name, flag)
    // There is none yet, or all stand on one line: nothing to keep.
    if (!isMap(flags) || flags.flow) document.set('flags', document.createNode(isMap(flags) ? flags.toJSON() : {}))
    if (flag) put(document, document.get('flags') as YAMLMap, name, flag)
    else document.deleteIn(['flags', name])
    return document.toString(layout)
}

const layout = { lineWidth: 0, flowCollectionPadding: false } as const

/** Only the lines of this flag are written anew. */
function splice(
    text: string,
    document: Document,
    flags: YAMLMap<Scalar, Node>,
    name: string,
    flag: Flag | undefined,
): string {
    const at = flags.items.findIndex(item => String(item.key.value) === name)
    const item = flags.items[at]
    const before = item ? (item.value?.toJS(document) as unknown) : undefined
    if (JSON.stringify(before) === JSON.stringify(flag)) return text
    const first = flags.items[0]?.key.range?.[0] ?? 0
    const indent = ' '.repeat(first - (text.lastIndexOf('\n', first - 1) + 1))
    const start = item ? startOf(text, item.key) : endOf(text, flags.items.at(-1)?.value)
    const end = item ? endOf(text, item.value) : start
    if (!flag) return text.slice(0, start) + text.slice(end)
    const holder = document.createNode({}) as unknown as YAMLMap
    if (item) holder.items.push(item)
    put(document, holder, name, flag)
    const lines = new Document(holder).toString(layout).trimEnd().split('\n')
    const block = lines.map(line => (line === '' ? '' : indent + line)).join('\n')
    const gap = start > 0 && text[start - 1] !== '\n' ? '\n' : ''
    return `${text.slice(0, start)}${gap}${block}\n${text.slice(end)}`
}

const startOf = (text: string, key: Scalar): number => text.lastIndexOf('\n', (key.range?.[0] ?? 0) - 1) + 1

/** Behind the line that the value ends on. */
function endOf(text: string, value: Node | null | undefined): number {
    const end = value?.range?.[1] ?? text.length
    if (text[end - 1] === '\n') return end
    const line = text.indexOf('\n', end)
    return line < 0 ? text.length : line + 1
}

/** As the platform tells them apart: the first character other than white space. */
export const isJson = (text: string): boolean => /^[ \t\r\n]*\{/.test(text)

const indentOf = (text: string): number => /\n( +)"/.exec(text)?.[1]?.length ?? 2

function parse(text: string): Document {
    const document = parseDocument(text, { version: '1.2', merge: false, uniqueKeys: true })
    const [fault] = document.errors
    if (fault) throw new Error(fault.message)
    return document
}

/** Sets a value below a map, touching only what differs. */
function put(document: Document, map: YAMLMap, key: string, value: unknown): void {
    const there = map.get(key, true) as Node | undefined
    if (isMap(there) && isObject(value)) {
        for (const item of [...there.items]) {
            const name = String((item.key as { value?: unknown })?.value ?? item.key)
            if (!(name in value) || value[name] === undefined) there.delete(item.key)
        }
        for (const [name, one] of Object.entries(value)) if (one !== undefined) put(document, there, name, one)
        return
    }
    if (isSeq(there) && Array.isArray(value)) {
        putItems(document, there, value)
        return
    }
    if (there && JSON.stringify(there.toJS(document)) === JSON.stringify(value)) return
    map.set(key, document.createNode(value))
}

function putItems(document: Document, list: YAMLSeq, values: readonly unknown[]): void {
    list.items.length = Math.min(list.items.length, values.length)
    values.forEach((value, at) => {
        const there = list.items[at] as Node | undefined
        if (there && JSON.stringify(there.toJS(document)) === JSON.stringify(value)) return
        if (isMap(there) && isObject(value)) {
            const holder = document.createNode({}) as unknown as YAMLMap
            holder.set('item', there)
            put(document, holder, 'item', value)
            return
        }
        list.set(at, document.createNode(value))
    })
}

const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
