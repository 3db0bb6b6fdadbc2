import { computed, type WritableComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'

/** A value of the address's query, so that every view and filter is a link. Empty values leave the address. */
export function useQuery(name: string): WritableComputedRef<string> {
    const route = useRoute()
    const router = useRouter()
    return computed({
        get: () => {
            const value = route.query[name]
            return (Array.isArray(value) ? value[0] : value) ?? ''
        },
        set: value => void router.replace({ query: { ...route.query, [name]: value || undefined } }),
    })
}

/** The tab that is shown, in the address; the first needs none, and one that there is not is the first. */
export function useTab(query: string, names: () => readonly string[]): WritableComputedRef<string> {
    const kept = useQuery(query)
    return computed({
        get: () => (names().includes(kept.value) ? kept.value : (names()[0] ?? '')),
        set: name => (kept.value = name === names()[0] ? '' : name),
    })
}
