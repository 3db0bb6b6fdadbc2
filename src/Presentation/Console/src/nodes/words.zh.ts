import type { en } from './words.en'

export const zh: typeof en = {
    page: { nodes: '节点' },
    nodes: {
        note: '共享同一存储的平台进程。',
        name: '节点',
        state: '状态',
        version: '版本',
        modules: '模块',
        started: '启动时间',
        address: 'API',
        lease: '租约到期',
        thisNode: '本节点',
        options: '进程选项',
        key: '选项',
        value: '值',
        origin: '来源',
        default: '默认值',
        why: '用途',
        listeners: '监听地址',
        engine: '存储',
        free: '磁盘可用',
        live: '在线',
    },
}
