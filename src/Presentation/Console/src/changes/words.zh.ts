import type { en } from './words.en'

export const zh: typeof en = {
    page: { changes: '变更' },
    changes: {
        note: '谁在何时因何变更了什么。一行是一个变更集：要么全部生效，要么全不生效。',
        put: '写入',
        delete: '删除',
        moreResources: '以及另外 {count} 项',
        noReason: '未说明原因',
        none: '还没有任何变更。',
    },
    change: {
        title: '变更集 {revision}',
        revertTitle: '撤销变更集 {revision}？',
        revertNote: '每个资源在新的变更集中恢复原状。此后又有变更的资源视为冲突。',
        why: '原因（他人可见）',
        done: '已由变更集 {revision} 撤销。',
        proposed: '需要第二人审批：提案 {proposal}。',
    },
}
