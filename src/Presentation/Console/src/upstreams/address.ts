/** The page of what the gateway calls: an upstream's own, or that of the service that a route names itself. */
export function upstreamPage(one: { kind: string; namespace: string; name: string }): string {
    if (one.kind === 'upstream') return `/upstreams/${one.namespace}/${one.name}`
    const [first, second] = one.name.split('@@')
    return `/services/${one.namespace}/${second === undefined ? 'default' : first}/${second ?? first}`
}
