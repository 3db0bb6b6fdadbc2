import type { Page } from '@/app/pages'

export const pages: Page[] = [
    {
        name: 'services',
        path: '/services',
        view: () => import('./ServicesPage.vue'),
        place: { layer: 'services', order: 1 },
        below: [
            {
                name: 'service',
                path: '/services/:namespace/:group/:service',
                view: () => import('./ServicePage.vue'),
            },
        ],
    },
]
