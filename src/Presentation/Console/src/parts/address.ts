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
