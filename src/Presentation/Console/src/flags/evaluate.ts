import { defaultOf, isEnabled, offOf, variantsOf, type Flag, type FlagRule } from './model'

/** What an evaluation came to, and why. */
export interface Choice {
    variant: string
    value: unknown
    reason: 'disabled' | 'rule' | 'default'
    rule?: string
}

/** Who asks. */
export interface Reader {
    user?: string
    labels: Readonly<Record<string, string>>
}

/** All there is, in hundredths of a percent. */
const whole = 10_000

/** Where a user lies for a flag: of the percentages, and of the weights of its rules. */
export interface Deal {
    share: number
    draw: number
}

/**
 * Bytes 0 to 7 and 8 to 15 of SHA-256 over the flag's name, 00, the salt, 00 and the user key, as big-endian numbers
 * modulo 10,000: the same in every reader (docs/settings.md, tests/Support/Vectors/flags.json).
 */
export async function dealOf(flag: string, salt: string, user: string): Promise<Deal> {
    const text = new TextEncoder().encode(`${flag}\0${salt}\0${user}`)
    const digest = new DataView(await crypto.subtle.digest('SHA-256', text))
    const hundredths = (at: number) => Number(digest.getBigUint64(at) % BigInt(whole))
    return { share: hundredths(0), draw: hundredths(8) }
}

/** Which variant a reader gets. Every reader of the SDK comes to the same. */
export async function evaluate(name: string, flag: Flag, reader: Reader): Promise<Choice> {
    const choose = (variant: string, reason: Choice['reason'], rule?: string): Choice => ({
        variant,
        value: variantsOf(flag)[variant],
        reason,
        ...(rule === undefined ? {} : { rule }),
    })
    if (!isEnabled(flag)) return choose(offOf(flag), 'disabled')
    let deal: Deal | undefined
    for (const rule of flag.rules ?? []) {
        if (!meets(rule, reader)) continue
        const percent = hundredthsOf(rule.percent ?? 100)
        if (percent < whole || typeof rule.serve === 'object') {
            if (!reader.user) continue
            deal ??= await dealOf(name, flag.salt ?? '', reader.user)
            if (deal.share >= percent) continue
        }
        return choose(served(rule.serve, deal?.draw ?? 0), 'rule', rule.name)
    }
    return choose(defaultOf(flag), 'default')
}

/** The conditions that take no hash. */
function meets(rule: FlagRule, { user, labels }: Reader): boolean {
    if (rule.users && !(user && rule.users.includes(user))) return false
    return Object.entries(rule.labels ?? {}).every(([name, wanted]) => {
        const value = labels[name]
        return value !== undefined && (Array.isArray(wanted) ? wanted.includes(value) : wanted === value)
    })
}

/** Weights lie end to end in the order of the variants' names; these are ASCII. */
function served(serve: FlagRule['serve'], draw: number): string {
    if (typeof serve === 'string') return serve
    const names = Object.keys(serve).sort((one, other) => (one < other ? -1 : 1))
    let end = 0
    for (const name of names) {
        end += hundredthsOf(serve[name] ?? 0)
        if (draw < end) return name
    }
    return names.at(-1) ?? ''
}

/** Percentages have at most two decimals; 69.5 and its like are not exact as they are. */
const hundredthsOf = (percent: number): number => Math.round(percent * 100)
