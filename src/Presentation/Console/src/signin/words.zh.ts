import type { en } from './words.en'

export const zh: typeof en = {
    signIn: {
        title: '登录',
        operator: '操作员',
        password: '密码',
        submit: '登录',
        link: '在节点本机运行以下命令可得到登录链接：',
    },
}
