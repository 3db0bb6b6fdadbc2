import { may } from '@/api/access'
import type { Page } from '@/app/pages'

export const pages: Page[] = [
    {
        name: 'backup',
        path: '/backup',
        view: () => import('./BackupPage.vue'),
        place: { layer: 'platform', order: 7 },
        visible: () => may('backup', 'node'),
    },
]
