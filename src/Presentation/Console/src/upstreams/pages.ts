import { may } from '@/api/access'
import type { Page } from '@/app/pages'

export const pages: Page[] = [
    {
        name: 'upstreams',
        path: '/upstreams',
        view: () => import('./UpstreamsPage.vue'),
        place: { layer: 'communication', order: 3 },
        visible: () => may('read', 'upstream') || may('read', 'route'),
        below: [
            { name: 'upstream', path: '/upstreams/:namespace/:name(.*)', view: () => import('./UpstreamPage.vue') },
        ],
    },
]
