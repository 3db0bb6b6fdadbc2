import type { Page } from '@/app/pages'

export const pages: Page[] = [
    { name: 'nodes', path: '/nodes', view: () => import('./NodesPage.vue'), place: { layer: 'platform', order: 6 } },
]
