import { shown } from '@/app/theme'

/**
 * A colour of the theme in force, for pictures that cannot name it: ECharts draws with values. Asked in something
 * computed, it changes with the theme.
 */
export function colour(name: string): string {
    void shown.value
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}
