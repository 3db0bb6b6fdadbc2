import { may } from '@/api/access'
import type { Page } from '@/app/pages'

export const pages: Page[] = [
    {
        name: 'guards',
        path: '/guards',
        view: () => import('./GuardsPage.vue'),
        place: { layer: 'communication', order: 5 },
        visible: () => may('read', 'route') || may('read', 'upstream'),
    },
]
