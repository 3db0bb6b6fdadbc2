import type { en } from './words.en'

export const zh: typeof en = {
    page: { resources: '资源' },
    resources: {
        note: '全部配置：有类型、有名称、有版本。',
        filter: '按名称筛选',
        kind: '类型',
        allKinds: '选择类型',
        name: '名称',
        namespace: '命名空间',
        changedBy: '变更者',
        changed: '变更时间',
        revision: '修订号',
        none: '没有您可以读取的该类型资源。',
    },
    resource: {
        spec: '内容',
        history: '历史',
        version: '版本 {version}',
        by: '由 {author} 变更',
        diff: '此次变更的内容',
        first: '第一个版本，没有可比较的前一版本。',
        same: '内容没有变化。',
        rollBackTitle: '将 {name} 回滚到修订号 {revision}？',
        rollBackNote: '旧内容成为新版本；历史不会丢失。',
        why: '原因（他人可见）',
        done: '完成，修订号 {revision}。',
        proposed: '需要第二人审批：提案 {proposal}。',
        conflict: '期间有人做了变更。显示的是对方的版本；您的内容在编辑器中。',
        invalid: '不是 JSON：{reason}',
    },
}
