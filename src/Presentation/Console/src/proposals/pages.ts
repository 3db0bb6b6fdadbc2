import { may } from '@/api/access'
import type { Page } from '@/app/pages'

export const pages: Page[] = [
    {
        name: 'proposals',
        path: '/proposals',
        view: () => import('./ProposalsPage.vue'),
        place: { layer: 'platform', order: 3 },
        visible: () => may('read', 'proposal'),
        below: [{ name: 'proposal', path: '/proposals/:name', view: () => import('./ProposalPage.vue') }],
    },
]
