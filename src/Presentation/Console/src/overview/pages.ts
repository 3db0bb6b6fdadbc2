import type { Page } from '@/app/pages'

export const pages: Page[] = [
    { name: 'overview', path: '/', view: () => import('./OverviewPage.vue'), place: { layer: 'home', order: 1 } },
]
