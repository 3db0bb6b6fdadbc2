import { createRouter, createWebHistory } from 'vue-router'
import { i18n } from './language'
import { layers } from './pages'

export const router = createRouter({
    history: createWebHistory('/console/'),
    routes: [
        ...layers
            .flatMap(layer => layer.pages)
            .flatMap(page => [
                { path: page.path, name: page.name, component: page.view, props: true, meta: { page: page.name } },
                ...(page.below ?? []).map(one => ({
                    path: one.path,
                    name: one.name,
                    component: one.view,
                    props: true,
                    meta: { page: page.name },
                })),
            ]),
        { path: '/:rest(.*)', name: 'unknown', component: () => import('./UnknownPage.vue') },
    ],
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

router.afterEach(to => {
    const name = Object.values(to.params).at(-1) ?? i18n.global.t(`page.${String(to.meta.page ?? 'unknown')}`)
    document.title = `${String(name)} · Groundwork`
})
