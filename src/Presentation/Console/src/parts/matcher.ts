/** Says of a text whether it has all the words of a filter, in any order and case; every text without words. */
export function matcher(filter: string): (text: string) => boolean {
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
    if (words.length === 0) return () => true
    return text => {
        const lower = text.toLowerCase()
        return words.every(word => lower.includes(word))
    }
}
