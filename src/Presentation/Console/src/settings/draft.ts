/** A text that was being written when its page was left, and the revision that it began from. */
interface Draft {
    text: string
    base: number
}

/** Of this tab, in memory: what is written may be a secret. */
const drafts = new Map<string, Draft>()

export const keepDraft = (setting: string, draft: Draft): unknown => drafts.set(setting, draft)
export const dropDraft = (setting: string): unknown => drafts.delete(setting)
export const draftOf = (setting: string): Draft | undefined => drafts.get(setting)
