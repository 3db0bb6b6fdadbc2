/** Labels with their values, as one line has them: `country=NL,BE plan=gold`. */
export const labelsToText = (labels: Readonly<Record<string, string | readonly string[]>> | undefined): string =>
    Object.entries(labels ?? {})
        .map(([name, value]) => `${name}=${typeof value === 'string' ? value : value.join(',')}`)
        .join(' ')

/** One value is text, several are a list. */
export function textToLabels(text: string): Record<string, string | string[]> {
    return Object.fromEntries(
        text
            .split(/\s+/)
            .filter(Boolean)
            .map(pair => {
                const split = pair.indexOf('=')
                const values = (split < 0 ? '' : pair.slice(split + 1)).split(',')
                return [split < 0 ? pair : pair.slice(0, split), values.length === 1 ? (values[0] ?? '') : values]
            }),
    )
}

/** Labels of one reader: every one has one value, commas and all. */
export const textToReader = (text: string): Record<string, string> =>
    Object.fromEntries(
        text
            .split(/\s+/)
            .filter(Boolean)
            .map(pair => {
                const split = pair.indexOf('=')
                return split < 0 ? [pair, ''] : [pair.slice(0, split), pair.slice(split + 1)]
            }),
    )
