import type { en } from './words.en'

export const zh: typeof en = {
    page: { backup: '备份' },
    backup: {
        note: '存储在某一修订版的全部内容，合为一个文件。',
        what: '包括资源及其历史、审计记录和各模块的数据；备份期间一切照常运行。',
        rootKey: '根密钥不在其中：没有它，备份对窃贼无用，对您也无用。',
        take: '开始备份',
        taking: '正在备份',
        came: '已接收 {size}',
        taken: '{name} 已完成：{size}。浏览器会保存它。',
        restore: '恢复',
        restoreNote: '在没有节点运行、且有根密钥的地方。可恢复到 SQLite 或 PostgreSQL，不论来自哪一种。',
        past: '以往的备份',
        none: '尚无备份。',
        at: '时间',
        who: '谁',
        of: '对象',
        outcome: '结果',
        detail: '详情',
    },
}
