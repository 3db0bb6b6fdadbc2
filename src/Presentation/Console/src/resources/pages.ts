import type { Page } from '@/app/pages'

export const pages: Page[] = [
    {
        name: 'resources',
        path: '/resources',
        view: () => import('./ResourcesPage.vue'),
        place: { layer: 'platform', order: 1 },
        below: [
            { name: 'newResource', path: '/resources/new', view: () => import('./NewResourcePage.vue') },
            {
                name: 'resource',
                path: '/resources/:kind/:namespace/:name(.*)',
                view: () => import('./ResourcePage.vue'),
            },
        ],
    },
]
