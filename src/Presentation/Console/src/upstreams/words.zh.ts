import type { en } from './words.en'

export const zh: typeof en = {
    page: { upstreams: '上游' },
    upstreams: {
        note: '网关所调用的：上游，以及路由直接指名的服务。',
        new: '新建上游',
        filter: '筛选上游',
        anyState: '任意状态',
        name: '名称',
        state: '状态',
        instances: '可调用',
        calledOf: '{called} / {all}',
        ejected: '已剔除',
        underWay: '进行中',
        policy: '选择方式',
        source: '来源',
        routes: '路由',
        noRoutes: '没有路由通向此处。',
        how: '调用方式',
        empty: '网关不调用任何实例：没有路由通向任何地方，也没有上游。',
        noMatch: '没有上游符合筛选条件。',
        gone: '没有该上游，或您无权读取。',
    },
    upstreamState: { all: '全部可调用', some: '部分不可用', none: '无可调用实例' },
    source: { registry: '注册中心', addresses: '固定地址', dns: '域名解析' },
}
