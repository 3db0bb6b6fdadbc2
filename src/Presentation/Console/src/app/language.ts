import { createI18n } from 'vue-i18n'
import { en, zh } from './words'

export const languages = { en: 'English', zh: '中文' } as const
export type Language = keyof typeof languages

const key = 'groundwork.language'

function first(): Language {
    const kept = localStorage.getItem(key)
    if (kept === 'en' || kept === 'zh') return kept
    return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

export const i18n = createI18n({
    legacy: false,
    locale: first(),
    fallbackLocale: 'en',
    messages: { en, zh } as Record<Language, Record<string, never>>,
})

/** A word outside of components; typed by hand, since the library's type of any name is without end. */
export const word = (name: string): string => (i18n.global as unknown as { t: (name: string) => string }).t(name)

export function chooseLanguage(language: Language): void {
    i18n.global.locale.value = language
    localStorage.setItem(key, language)
    document.documentElement.lang = language
}

document.documentElement.lang = i18n.global.locale.value
