import type { en } from './words.en'

export const zh: typeof en = {
    page: { access: '权限' },
    access: {
        note: '您是谁，在哪里登录。',
        you: '您',
        roles: '角色',
        signIns: '登录',
        address: '来源',
        created: '登录时间',
        used: '最近使用',
        until: '到期',
        operators: '操作员',
        roleList: '角色',
        keys: '访问密钥',
        name: '名称',
        description: '说明',
        none: '没有您可以读取的内容。',
        revokeTitle: '结束此登录？',
        revokeNote: '使用者需要重新登录。',
    },
}
