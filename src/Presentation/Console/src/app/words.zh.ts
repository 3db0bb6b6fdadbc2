import type { en } from './words.en'

export const zh: typeof en = {
    page: { unknown: '未找到' },
    layer: { home: '首页', services: '服务', communication: '通信', platform: '平台' },
    shell: {
        recent: '最近变更，{count} 条新',
        recentTitle: '最近变更',
        allChanges: '全部变更',
        searchKeys: 'Ctrl+K',
        skip: '跳到内容',
        navigation: '页面',
        breadcrumbs: '当前位置',
        menu: '显示页面列表',
        theme: '主题',
        language: '语言',
        away: '平台没有应答。所见为片刻之前的内容；控制台正在重试。',
        live: '实时：变更即时显示',
        connecting: '正在连接',
    },
    theme: { system: '跟随系统', light: '浅色', dark: '深色', contrast: '高对比度' },
    search: {
        open: '搜索',
        hint: '搜索页面、服务和资源',
        page: '页面',
        service: '服务',
        nothing: '没有找到。搜索范围为名称、类型和命名空间。',
    },
    unknown: { title: '没有这个页面', note: '该地址可能属于更新的控制台，或者拼写有误。' },
}
