import { ref } from 'vue'

/** The time that relative times are told by; moves often enough for seconds to be believed. */
export const now = ref(Date.now())

setInterval(() => {
    if (!document.hidden) now.value = Date.now()
}, 5000)
