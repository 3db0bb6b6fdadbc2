import type { en } from './words.en'

export const zh: typeof en = {
    page: { audit: '审计' },
    audit: {
        note: '登录、密钥使用、机密读取和拒绝；变更见“变更”。每一行都与前一行相链接。',
        principal: '主体',
        action: '操作',
        target: '对象',
        outcome: '结果',
        at: '时间',
        address: '地址',
        filterPrincipal: '按主体筛选',
        filterAction: '按操作筛选',
        verifying: '正在校验两条链…',
        intact: '完整：{changes} 个变更，{events} 个事件，{checkpoints} 个检查点。',
        broken: '不完整',
        none: '没有符合的记录。',
    },
}
