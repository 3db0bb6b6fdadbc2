import { createRouter, createWebHistory } from 'vue-router'
import { word } from './language'
import { pages } from './pages'

export const router = createRouter({
    history: createWebHistory('/console/'),
    routes: [
        ...pages.flatMap(page => [
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
    const name = Object.values(to.params).at(-1) ?? word(`page.${String(to.meta.page ?? 'unknown')}`)
    document.title = `${String(name)} · Groundwork`
})
