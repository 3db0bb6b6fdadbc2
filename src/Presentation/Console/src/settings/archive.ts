import { strFromU8, strToU8, unzipSync, zipSync, type Zippable } from 'fflate'
import { formatOf, type SettingSpec } from './setting'

/** A setting on its way into or out of files, as `groundwork settings export` has it. */
export interface Archived {
    /** `group/dataId` */
    name: string
    /** With its content: text, or masked. */
    spec: SettingSpec
    labels?: Record<string, string>
}

export const manifestName = '.groundwork.json'

/** Files of one archive, and bytes of all of them, unpacked; the command line's bounds. */
const maxFiles = 10_000
const maxBytes = 64 * 1024 * 1024

/** Not a character of any name: a setting that is called as another's folder gets it. */
const beside = '~'

/** The first moment that a zip can tell: equal content is equal bytes. */
const zipTime = new Date(1980, 0, 1)

interface Entry {
    name: string
    spec: Omit<SettingSpec, 'content'> & { content: unknown }
    labels?: Record<string, string>
}

/** A zip with a file for each text, named as the setting, and a manifest for what a name cannot say. */
export function packed(namespace: string, settings: readonly Archived[]): Uint8Array {
    const folders = new Set(settings.flatMap(one => foldersOf(one.name)))
    const files: Zippable = {}
    const entries: Entry[] = settings.map(({ name, spec, labels }) => {
        const entry: Entry = { name, spec: { ...spec } }
        if (typeof spec.content === 'string') {
            const path = folders.has(name) ? name + beside : name
            files[path] = [strToU8(spec.content), { mtime: zipTime }]
            entry.spec.content = { file: path }
        }
        if (labels && Object.keys(labels).length > 0) entry.labels = labels
        return entry
    })
    files[manifestName] = [
        strToU8(`${JSON.stringify({ namespace, settings: entries }, null, 2)}\n`),
        { mtime: zipTime },
    ]
    return zipSync(files)
}

/** The settings of a zip; throws what is wrong with it. Files that no manifest knows are settings by their names. */
export function unpacked(zip: Uint8Array): Archived[] {
    const files = filesOf(zip)
    const manifest = files.get(manifestName)
    const used = new Set([manifestName])
    const settings = manifest ? manifestOf(manifest).map(entry => fromEntry(entry, files, used)) : []
    for (const [path, bytes] of files) {
        if (used.has(path)) continue
        if (!path.includes('/')) throw new Error(`${path}: group/dataId`)
        settings.push({ name: path, spec: { format: formatOf(path), content: textOf(path, bytes) } })
    }
    return settings.sort((one, other) => (one.name < other.name ? -1 : 1))
}

function filesOf(zip: Uint8Array): Map<string, Uint8Array> {
    let count = 0
    let bytes = 0
    const read = unzipSync(zip, {
        filter(file) {
            if (file.name.endsWith('/')) return false
            const leadsOut = file.name.split('/').some(part => part === '' || part === '.' || part === '..')
            if (leadsOut || file.name.includes('\\')) throw new Error(`${file.name}: ..`)
            count++
            bytes += file.originalSize
            if (count > maxFiles) throw new Error(`> ${maxFiles} files`)
            if (bytes > maxBytes) throw new Error(`> ${maxBytes} bytes`)
            return true
        },
    })
    return new Map(Object.entries(read))
}

function manifestOf(bytes: Uint8Array): Entry[] {
    const read = JSON.parse(strFromU8(bytes)) as { settings?: Entry[] }
    if (!Array.isArray(read.settings)) throw new Error(`${manifestName}: settings`)
    return read.settings
}

function fromEntry(entry: Entry, files: ReadonlyMap<string, Uint8Array>, used: Set<string>): Archived {
    const content = entry.spec.content as { file?: string } | undefined
    if (content?.file === undefined) return entry
    const bytes = files.get(content.file)
    if (!bytes) throw new Error(`${manifestName}: ${content.file}`)
    used.add(content.file)
    return { ...entry, spec: { ...entry.spec, content: textOf(content.file, bytes) } }
}

function textOf(path: string, bytes: Uint8Array): string {
    try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
        throw new Error(`${path}: UTF-8`)
    }
}

const foldersOf = (name: string): string[] => {
    const parts = name.split('/')
    return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'))
}
