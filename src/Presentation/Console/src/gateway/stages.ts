/** What a request of a route passes, in the order in which the gateway has it pass, as the route's spec says. */

export interface StageShown {
    /** As the API names it. */
    stage: string
    /** What of it the route asks for, in the spec's own words. */
    says: string[]
}

type Block = Record<string, unknown>

/** What lets somebody pass. */
const passes = ['token', 'accessKey', 'signature', 'certificate', 'ask', 'signedUrls']

const block = (value: unknown): Block | undefined =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Block) : undefined
const list = (value: unknown): Block[] => (Array.isArray(value) ? value.map(one => block(one) ?? {}) : [])

/** Names of what is there. */
const given = (from: Block | undefined, names: readonly string[]) => names.filter(name => from?.[name] != null)

function limitOf(one: Block): string {
    const by = Array.isArray(one.by) && one.by.length ? ` · ${one.by.join(' + ')}` : ''
    for (const form of ['bucket', 'window', 'pace']) {
        const said = block(one[form])
        if (said) return `${one.name}: ${said.requests} / ${said.seconds ?? 1} s${by}`
    }
    return `${one.name}: ${one.concurrent}${by}`
}

function changesOf(spec: Block): string[] {
    const [request, response] = [block(spec.request), block(spec.response)]
    return [
        ...given(block(request?.path), ['stripPrefix', 'addPrefix', 'template']).map(
            name => `${name} ${String(block(request?.path)?.[name])}`,
        ),
        ...given(request, ['query', 'headers']).map(name => `request.${name}`),
        ...given(response, ['headers']).map(name => `response.${name}`),
    ]
}

export function stagesOf(spec: Block): StageShown[] {
    const access = block(spec.access)
    const shown: [string, string[] | undefined][] = [
        ['match', [String(block(spec.match)?.path ?? '')]],
        ['deny', some(given(access, ['deny', 'allow']))],
        ['cors', spec.cors ? (block(spec.cors)?.origins as string[] | undefined)?.slice(0, 2) : undefined],
        ['access', some(given({ ...access, signedUrls: spec.signedUrls }, passes))],
        ['limit', some(list(spec.limits).map(limitOf))],
        ['inspection', some(given(spec, ['referers', 'inspect', 'openApi']))],
        ['injection', some(given({ ...block(spec.inject), mirror: spec.mirror }, ['delay', 'abort', 'mirror']))],
        ['cache', spec.cache ? [] : undefined],
        ['transform', some(changesOf(spec))],
        ['answer', some(given(spec, ['redirect', 'respond', 'files', 'compose']))],
    ]
    if (spec.compress) shown.push(['compression', (block(spec.compress)?.algorithms as string[] | undefined) ?? []])
    return shown.flatMap(([stage, says]) => (says ? [{ stage, says }] : []))
}

const some = (says: string[]) => (says.length ? says : undefined)
