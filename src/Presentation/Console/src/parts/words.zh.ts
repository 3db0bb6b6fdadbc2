import type { en } from './words.en'

export const zh: typeof en = {
    action: {
        retry: '重试',
        copy: '复制',
        copied: '已复制',
        signOut: '退出登录',
        cancel: '取消',
        more: '显示更多',
        drain: '排空',
        undrain: '取消排空',
        explain: '解释',
        close: '关闭',
        revert: '撤销',
        rollBack: '回滚到此版本',
        verify: '校验',
        revoke: '吊销',
        save: '保存',
        edit: '编辑',
    },
    state: { loading: '正在加载…', empty: '这里还没有内容。' },
    fault: { away: '平台没有应答', stale: '所见内容较旧' },
}
