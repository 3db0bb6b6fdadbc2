/** A request that a route would take, as far as its host and path tell: what is typed begins with it. */
export function sampleOf(spec: { match?: { hosts?: string[] | null; path?: string; methods?: string[] | null } }): {
    host: string
    path: string
    method: string
} {
    const { hosts, path = '/', methods } = spec.match ?? {}
    const host = hosts?.find(one => !one.startsWith('*')) ?? hosts?.[0] ?? ''
    return {
        host: host === '*' || host === '' ? 'shop.example.com' : host.replace(/^\*\./, 'www.'),
        path: path.startsWith('~') ? '/' : path.replace(/\/\*\*$/, '/').replace(/\{\w+\}/g, '1'),
        method: methods?.[0] ?? 'GET',
    }
}
