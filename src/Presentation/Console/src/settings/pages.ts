import type { Page } from '@/app/pages'

export const pages: Page[] = [
    {
        name: 'settings',
        path: '/settings',
        view: () => import('./SettingsPage.vue'),
        place: { layer: 'services', order: 2 },
        below: [
            { name: 'newSetting', path: '/settings/new', view: () => import('./NewSettingPage.vue') },
            { name: 'promotions', path: '/promotions', view: () => import('./PromotionsPage.vue') },
            { name: 'setting', path: '/settings/:namespace/:name(.*)', view: () => import('./SettingPage.vue') },
        ],
    },
]
