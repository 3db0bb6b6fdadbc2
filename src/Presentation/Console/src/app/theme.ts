import { ref, watchEffect } from 'vue'

/** `system` follows the machine; the others are chosen, and kept in this browser. */
export type Theme = 'system' | 'light' | 'dark' | 'contrast'

export const themes: readonly Theme[] = ['system', 'light', 'dark', 'contrast']

const key = 'groundwork.theme'
const kept = localStorage.getItem(key)
export const theme = ref<Theme>(themes.find(one => one === kept) ?? 'system')

/** The theme in force: what the system wants is decided here. */
export const shown = ref<Exclude<Theme, 'system'>>('light')

export function applyTheme(): void {
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const contrast = matchMedia('(prefers-contrast: more)')
    const show = () => {
        const system = contrast.matches ? 'contrast' : dark.matches ? 'dark' : 'light'
        const inForce = theme.value === 'system' ? system : theme.value
        document.documentElement.dataset.theme = inForce
        shown.value = inForce
    }
    dark.addEventListener('change', show)
    contrast.addEventListener('change', show)
    watchEffect(() => {
        localStorage.setItem(key, theme.value)
        show()
    })
}
