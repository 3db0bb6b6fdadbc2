/** The console's address of a resource; kinds that belong to no namespace have an empty one. */
export function resourceAddress(resource: { kind: string; namespace?: string | null; name: string }): string {
    // A proposal has a page that can do more with it.
    if (resource.kind === 'proposal') return `/proposals/${resource.name}`
    return `/resources/${resource.kind}/${resource.namespace || '_'}/${resource.name}`
}

/** The name as a line of a list has room for it: the platform's own names are long and say nothing. */
export const shortName = (resource: { kind: string; name: string }): string =>
    resource.kind === 'proposal' ? `…${resource.name.slice(-6)}` : resource.name
