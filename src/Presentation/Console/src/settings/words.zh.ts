import type { en } from './words.en'

export const zh: typeof en = {
    page: { settings: '配置' },
    settings: {
        note: '服务作为配置读取的文本，按分组列出；发布前校验，每次发布都有版本。',
        namespace: '命名空间',
        filter: '筛选配置',
        none: '该命名空间中没有您可以读取的配置。',
        noMatch: '没有配置符合筛选条件。',
    },
    setting: {
        text: '文本',
        yours: '您的文本',
        theirs: '期间发布的文本',
        publish: '发布',
        check: '检查',
        discard: '放弃我的文本',
        checked: '文本没有错误。尚未发布。',
        secret: '机密',
        meanwhile: '您编辑期间有人发布了新文本。您的文本仍在这里。',
    },
    receipts: {
        title: '回执',
        none: '近期没有读取者。',
        reader: '读取者',
        state: '状态',
        has: '持有修订号',
        confirmed: '确认时间',
        node: '节点',
        applied: '已应用',
        delivered: '已送达',
        rejected: '已拒绝',
        old: '仍为旧版',
    },
}
