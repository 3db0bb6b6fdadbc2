/** What operators say of services and instances: the specs of the kinds `instance-override` and `service-policy`. */
export interface OverrideSpec {
    weight?: number
    status?: string
    disabled?: boolean
    reason?: string
}

export interface ProbeSpec {
    type: string
    path?: string
    port?: string
    intervalSeconds?: number
    timeoutMs?: number
    expectedStatus?: string
    unhealthyAfter?: number
    healthyAfter?: number
}

export interface PolicySpec {
    maintenance?: boolean
    reason?: string
    protectionThreshold?: number
    probe?: ProbeSpec
}

/** Fields of a form: texts as they are typed; empty is what the instance or the platform says itself. */
export interface OverrideForm {
    weight: string
    status: '' | 'disabled' | 'up' | 'draining' | 'out-of-service' | 'down'
    reason: string
}

export interface PolicyForm {
    maintenance: boolean
    reason: string
    threshold: string
    probe: '' | 'http' | 'tcp'
    path: string
    port: string
    interval: string
    timeout: string
    expected: string
    unhealthyAfter: string
    healthyAfter: string
}

export function overrideForm(spec: OverrideSpec | undefined): OverrideForm {
    return {
        weight: text(spec?.weight),
        status: spec?.disabled ? 'disabled' : ((spec?.status ?? '') as OverrideForm['status']),
        reason: spec?.reason ?? '',
    }
}

export function overrideSpec(form: OverrideForm): OverrideSpec {
    return {
        ...given('weight', number(form.weight)),
        ...(form.status === 'disabled' ? { disabled: true } : given('status', form.status || undefined)),
        ...given('reason', form.reason.trim() || undefined),
    }
}

export function policyForm(spec: PolicySpec | undefined): PolicyForm {
    const probe = spec?.probe
    return {
        maintenance: spec?.maintenance ?? false,
        reason: spec?.reason ?? '',
        threshold: text(spec?.protectionThreshold),
        probe: (probe?.type ?? '') as PolicyForm['probe'],
        path: probe?.path ?? '',
        port: probe?.port ?? '',
        interval: text(probe?.intervalSeconds),
        timeout: text(probe?.timeoutMs),
        expected: probe?.expectedStatus ?? '',
        unhealthyAfter: text(probe?.unhealthyAfter),
        healthyAfter: text(probe?.healthyAfter),
    }
}

export function policySpec(form: PolicyForm): PolicySpec {
    return {
        ...given('maintenance', form.maintenance || undefined),
        ...given('reason', form.reason.trim() || undefined),
        ...given('protectionThreshold', number(form.threshold)),
        ...given('probe', probeSpec(form)),
    }
}

function probeSpec(form: PolicyForm): ProbeSpec | undefined {
    if (!form.probe) return undefined
    const http = form.probe === 'http'
    return {
        type: form.probe,
        ...given('path', (http && form.path.trim()) || undefined),
        ...given('port', form.port.trim() || undefined),
        ...given('intervalSeconds', number(form.interval)),
        ...given('timeoutMs', number(form.timeout)),
        ...given('expectedStatus', (http && form.expected.trim()) || undefined),
        ...given('unhealthyAfter', number(form.unhealthyAfter)),
        ...given('healthyAfter', number(form.healthyAfter)),
    }
}

const text = (value: number | null | undefined) => (value == null ? '' : String(value))

/** What is not a number stays a text, for the API to say what is wrong with it. */
function number(typed: string): number | undefined {
    const trimmed = typed.trim()
    if (!trimmed) return undefined
    const value = Number(trimmed)
    return Number.isNaN(value) ? (trimmed as unknown as number) : value
}

function given<K extends string, T>(name: K, value: T | undefined): { [key in K]?: T } {
    return value === undefined ? {} : ({ [name]: value } as { [key in K]?: T })
}
