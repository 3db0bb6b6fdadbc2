import type { Page } from '@/app/pages'

export const pages: Page[] = [
    {
        name: 'changes',
        path: '/changes',
        view: () => import('./ChangesPage.vue'),
        place: { layer: 'platform', order: 2 },
        below: [{ name: 'change', path: '/changes/:revision(\\d+)', view: () => import('./ChangePage.vue') }],
    },
]
