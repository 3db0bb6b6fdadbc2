import type { Page } from '@/app/pages'

export const pages: Page[] = [
    {
        name: 'access',
        path: '/access',
        view: () => import('./AccessPage.vue'),
        place: { layer: 'platform', order: 4 },
    },
]
