import type { en } from './words.en'

export const zh: typeof en = {
    action: {
        retry: '重试',
        copy: '复制',
        copied: '已复制',
        signOut: '退出登录',
        cancel: '取消',
        more: '显示更多',
        close: '关闭',
        revert: '撤销',
        rollBack: '回滚到此版本',
        verify: '校验',
        revoke: '吊销',
        delete: '删除',
        why: '原因？（其他人会看到）',
        save: '保存',
        edit: '编辑',
    },
    state: { loading: '正在加载…', empty: '这里还没有内容。' },
    fault: { away: '平台没有应答', stale: '所见内容较旧' },
    overtaken: {
        title: '别人先改了。',
        note: '您的内容没有丢失。不同的行已标出。',
        theirs: '现在的内容',
        yours: '您的内容',
        deleted: '(已删除)',
        take: '采用现在的内容',
        keep: '或再次保存，以您的内容覆盖。',
    },
    outcome: {
        done: '完成：',
        changeset: '变更集 {revision}',
        unchanged: '内容本来如此，没有更改。',
        proposed: '需要第二个人批准：',
    },
}
