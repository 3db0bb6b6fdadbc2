import { may } from '@/api/access'
import type { Page } from '@/app/pages'

export const pages: Page[] = [
    {
        name: 'audit',
        path: '/audit',
        view: () => import('./AuditPage.vue'),
        place: { layer: 'platform', order: 5 },
        visible: () => may('audit', 'audit'),
    },
]
