import type { en } from './words.en'

export const zh: typeof en = {
    page: { overview: '概览' },
    overview: {
        title: '概览',
        nodes: '节点',
        services: '服务',
        instances: '实例',
        unhealthy: '不健康',
        allHealthy: '全部健康',
        revision: '修订号',
        lastChanges: '最近变更',
        oneNode: '单节点：若磁盘损坏，上次备份之后的变更会丢失。',
        manyNodes: '多个节点共享一个存储：失去一个，其余照常工作。',
        lastBackup: '上次备份：',
        noBackup: '尚无',
        needsCare: '需要关注',
        nothingNeedsCare: '已注册的实例全部健康，也没有待审批的提案。',
        proposals: '个提案等待第二人审批',
        protected: '处于保护状态：太多实例同时失联',
        down: '{instances} 个实例中有 {healthy} 个健康',
        nodeState: '状态为 {state}',
    },
}
