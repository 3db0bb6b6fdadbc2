import type { Page } from '@/app/pages'
import { may } from '@/api/access'

export const pages: Page[] = [
    {
        name: 'traffic',
        path: '/traffic',
        view: () => import('./TrafficPage.vue'),
        place: { layer: 'communication', order: 2 },
        visible: () => may('read', 'metrics') || may('read', 'route'),
        below: [{ name: 'request', path: '/requests/:id', view: () => import('./RequestPage.vue') }],
    },
]
