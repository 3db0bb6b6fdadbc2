import type { components } from '@schema'

export type Receivers = components['schemas']['GrayReceivers']

/** The spec of the kind `gray-release`; a secret's content is its digest. */
export interface ReleaseSpec {
    setting: string
    content: unknown
    to: Receivers
    format?: string | null
    secret?: boolean
    priority?: number
    description?: string | null
}

/** Receivers as a form has them: text, and nothing where nothing is meant. */
export interface ReceiversForm {
    instances: string
    labels: string
    percent: string
}

const lines = (text: string) =>
    text
        .split(/[\s,]+/)
        .map(one => one.trim())
        .filter(Boolean)

/** What the platform takes; it says what is wrong with it. */
export function receiversOf(form: ReceiversForm): Receivers {
    const instances = lines(form.instances)
    const labels = Object.fromEntries(
        lines(form.labels).map(pair => {
            const split = pair.indexOf('=')
            return split < 0 ? [pair, ''] : [pair.slice(0, split), pair.slice(split + 1)]
        }),
    )
    return {
        ...(instances.length > 0 ? { instances } : {}),
        ...(Object.keys(labels).length > 0 ? { labels } : {}),
        ...(form.percent.trim() === '' ? {} : { percent: Number(form.percent) }),
    }
}

export function formOf(to: Receivers): ReceiversForm {
    return {
        instances: (to.instances ?? []).join('\n'),
        labels: Object.entries(to.labels ?? {})
            .map(([name, value]) => `${name}=${value}`)
            .join(' '),
        percent: to.percent === null || to.percent === undefined ? '' : String(to.percent),
    }
}

/** True when nobody is meant. */
export const isNobody = (to: Receivers): boolean => !to.instances && !to.labels && to.percent === undefined
