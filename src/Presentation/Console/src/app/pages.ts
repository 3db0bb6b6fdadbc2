import type { Component } from 'vue'

type View = () => Promise<{ default: Component }>

/** A page. Its words are `page.{name}`. */
export interface Page {
    name: string
    path: string
    view: View
    /** Where the navigation has it; pages without a place are led to by others. */
    place?: { layer: Layer; order: number }
    /** Pages below it, which the navigation does not show. */
    below?: { name: string; path: string; view: View }[]
    /** False when this operator can do nothing there; absent: everybody can. */
    visible?: () => boolean
}

/** The layers of the platform, as it is built. */
export const layers = ['home', 'services', 'communication', 'platform'] as const
export type Layer = (typeof layers)[number]

/** The pages of every folder, from its `pages.ts`. */
export const pages: Page[] = Object.values(
    import.meta.glob<Page[]>(['@/*/pages.ts', '!@/app/pages.ts'], { eager: true, import: 'pages' }),
).flat()

/** What the navigation shows of a layer, in order. */
export const pagesOf = (layer: Layer): Page[] =>
    pages
        .filter(page => page.place?.layer === layer && page.visible?.() !== false)
        .sort((one, other) => (one.place?.order ?? 0) - (other.place?.order ?? 0))
