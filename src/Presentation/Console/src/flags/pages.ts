import type { Page } from '@/app/pages'

export const pages: Page[] = [
    {
        name: 'flags',
        path: '/flags',
        view: () => import('./FlagsPage.vue'),
        place: { layer: 'services', order: 3 },
        below: [{ name: 'flag', path: '/flags/:namespace/:name(.*)', view: () => import('./FlagPage.vue') }],
    },
]
