import { may } from '@/api/access'
import type { Page } from '@/app/pages'

export const pages: Page[] = [
    {
        name: 'routes',
        path: '/routes',
        view: () => import('./RoutesPage.vue'),
        place: { layer: 'communication', order: 1 },
        visible: () => may('read', 'route') || may('write', 'route'),
        below: [
            { name: 'route-new', path: '/routes/new', view: () => import('./NewRoutePage.vue') },
            { name: 'route', path: '/routes/:namespace/:name(.*)', view: () => import('./RoutePage.vue') },
        ],
    },
]
