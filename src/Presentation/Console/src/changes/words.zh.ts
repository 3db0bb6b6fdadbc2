import type { en } from './words.en'

export const zh: typeof en = {
    page: { changes: '变更' },
    changes: {
        note: '谁在何时因何变更了什么。一行是一个变更集：要么全部生效，要么全不生效。',
        author: '作者',
        name: '名称前缀',
        allKinds: '所有类型',
        moreResources: '以及另外 {count} 项',
        none: '没有匹配的变更。',
        end: '以上是全部 {count} 个。',
    },
    change: {
        title: '变更集 {revision}',
        count: '资源：{count}',
        show: '显示差异',
        hide: '收起',
        differenceOf: '{name} 的变更',
        revertTitle: '撤销变更集 {revision}？',
        revertNote: '每个资源在新的变更集中恢复原状。此后又有变更的资源视为冲突。',
        trying: '正在询问平台会发生什么…',
        would: '将会：',
        wouldPropose: '以下内容将等待第二人审批：',
        conflicts: '以下资源此后又有变更；逐一查看之前不会撤销任何内容：',
        result: { created: '将创建', updated: '将恢复', deleted: '将删除', unchanged: '将保持不变' },
    },
}
