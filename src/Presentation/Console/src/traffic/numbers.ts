/** Figures as people read them: three digits that say something, and never a row of noughts. */

export function perSecond(value: number, language: string): string {
    return new Intl.NumberFormat(language, { maximumSignificantDigits: value < 100 ? 2 : 3 }).format(value)
}

/** Of a whole; the smallest that is not nothing is shown as less than a tenth of a percent. */
export function share(part: number, whole: number, language: string): string {
    const ratio = whole > 0 ? part / whole : 0
    if (ratio > 0 && ratio < 0.001) return `< ${percent(0.001, language)}`
    return percent(ratio, language)
}

const percent = (ratio: number, language: string) =>
    new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: ratio < 0.1 ? 1 : 0 }).format(ratio)

/** Milliseconds below a second, seconds above. */
export function duration(ms: number | null | undefined, language: string): string {
    if (ms === null || ms === undefined) return '–'
    const [value, unit] = ms < 1000 ? [ms, 'millisecond'] : [ms / 1000, 'second']
    return new Intl.NumberFormat(language, {
        style: 'unit',
        unit,
        unitDisplay: 'narrow',
        maximumSignificantDigits: value < 100 ? 2 : 3,
    }).format(value)
}

/** How grave a status is. */
export function toneOf(status: number, code?: string | null): 'good' | 'warn' | 'bad' | 'quiet' {
    if (status >= 500) return 'bad'
    if (code) return 'warn'
    return status < 400 ? 'good' : 'quiet'
}
