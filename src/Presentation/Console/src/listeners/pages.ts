import { may } from '@/api/access'
import type { Page } from '@/app/pages'

export const pages: Page[] = [
    {
        name: 'listeners',
        path: '/listeners',
        view: () => import('./ListenersPage.vue'),
        place: { layer: 'communication', order: 4 },
        visible: () => may('read', 'gateway-listener'),
        below: [{ name: 'listener', path: '/listeners/:name', view: () => import('./ListenerPage.vue') }],
    },
]
