import '@/app/link'
import { createApp } from 'vue'
import App from '@/app/App.vue'
import { i18n } from '@/app/language'
import { router } from '@/app/router'
import { applyTheme } from '@/app/theme'
import '@/app/tokens.css'
import '@/app/base.css'

applyTheme()
createApp(App).use(i18n).use(router).mount('#app')
