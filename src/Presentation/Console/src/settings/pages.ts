import type { Page } from '@/app/pages'

export const pages: Page[] = [
    {
        name: 'settings',
        path: '/settings',
        view: () => import('./SettingsPage.vue'),
        place: { layer: 'services', order: 2 },
        below: [{ name: 'setting', path: '/settings/:namespace/:name(.*)', view: () => import('./SettingPage.vue') }],
    },
]
