/** What is wrong with a text, and where; lines and columns count from 1. */
export interface TextFault {
    line: number
    column: number
    message: string
}

export interface EditorOptions {
    text: string
    format: string
    /** What readers of the screen hear. */
    label: string
    readOnly: boolean
    changed: (text: string) => void
}

/** An editor of one text. */
export interface Editor {
    setText: (text: string) => void
    setFormat: (format: string) => void
    setLabel: (label: string) => void
    setReadOnly: (readOnly: boolean) => void
    setFaults: (faults: readonly TextFault[]) => void
    goTo: (fault: TextFault) => void
    close: () => void
}

export interface DiffOptions {
    before: string
    after: string
    format: string
    beforeLabel: string
    afterLabel: string
    /** One above the other. */
    narrow: boolean
}

export interface Diff {
    close: () => void
}

/** The editor's own code is large, and loaded when the first one opens. */
export const loadEditor = () => import('./codemirror')
