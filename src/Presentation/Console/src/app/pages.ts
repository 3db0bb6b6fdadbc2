import type { Component } from 'vue'

/** A page that the navigation leads to. Its words are `page.{name}` in the locales. */
export interface Page {
    name: string
    path: string
    view: () => Promise<{ default: Component }>
    /** Pages below it, which the navigation does not show. */
    below?: { name: string; path: string; view: () => Promise<{ default: Component }> }[]
}

/** The navigation, by layer as the platform is built. */
export const layers: { name: string; pages: Page[] }[] = [
    {
        name: 'home',
        pages: [{ name: 'overview', path: '/', view: () => import('@/overview/OverviewPage.vue') }],
    },
    {
        name: 'services',
        pages: [
            {
                name: 'services',
                path: '/services',
                view: () => import('@/services/ServicesPage.vue'),
                below: [
                    {
                        name: 'service',
                        path: '/services/:namespace/:group/:service',
                        view: () => import('@/services/ServicePage.vue'),
                    },
                ],
            },
            {
                name: 'settings',
                path: '/settings',
                view: () => import('@/settings/SettingsPage.vue'),
                below: [
                    {
                        name: 'setting',
                        path: '/settings/:namespace/:name(.*)',
                        view: () => import('@/settings/SettingPage.vue'),
                    },
                ],
            },
        ],
    },
    {
        name: 'platform',
        pages: [
            {
                name: 'resources',
                path: '/resources',
                view: () => import('@/resources/ResourcesPage.vue'),
                below: [
                    {
                        name: 'resource',
                        path: '/resources/:kind/:namespace/:name(.*)',
                        view: () => import('@/resources/ResourcePage.vue'),
                    },
                ],
            },
            {
                name: 'changes',
                path: '/changes',
                view: () => import('@/changes/ChangesPage.vue'),
                below: [
                    {
                        name: 'change',
                        path: '/changes/:revision(\\d+)',
                        view: () => import('@/changes/ChangePage.vue'),
                    },
                ],
            },
            { name: 'access', path: '/access', view: () => import('@/access/AccessPage.vue') },
            { name: 'audit', path: '/audit', view: () => import('@/audit/AuditPage.vue') },
            { name: 'nodes', path: '/nodes', view: () => import('@/nodes/NodesPage.vue') },
        ],
    },
]
