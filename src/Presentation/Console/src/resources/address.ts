/** The console's address of a resource; kinds that belong to no namespace have an empty one. */
export function resourceAddress(resource: { kind: string; namespace?: string | null; name: string }): string {
    return `/resources/${resource.kind}/${resource.namespace || '_'}/${resource.name}`
}
