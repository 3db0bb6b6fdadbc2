const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Bytes as people read them, in powers of a thousand. */
export function inBytes(bytes: number): string {
    let at = 0
    let left = bytes
    while (left >= 1000 && at < units.length - 1) {
        left /= 1000
        at++
    }
    return `${left.toLocaleString(undefined, { maximumFractionDigits: left < 10 && at > 0 ? 1 : 0 })} ${units[at]}`
}
