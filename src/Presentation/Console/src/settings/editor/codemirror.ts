import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { json } from '@codemirror/lang-json'
import { xml } from '@codemirror/lang-xml'
import { yaml } from '@codemirror/lang-yaml'
import {
    bracketMatching,
    foldGutter,
    foldKeymap,
    HighlightStyle,
    indentOnInput,
    StreamLanguage,
    syntaxHighlighting,
} from '@codemirror/language'
import { properties } from '@codemirror/legacy-modes/mode/properties'
import { toml } from '@codemirror/legacy-modes/mode/toml'
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint'
import { MergeView, unifiedMergeView } from '@codemirror/merge'
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search'
import { Compartment, EditorState, type Extension, type Text } from '@codemirror/state'
import {
    drawSelection,
    EditorView,
    highlightActiveLine,
    highlightActiveLineGutter,
    highlightSpecialChars,
    keymap,
    lineNumbers,
} from '@codemirror/view'
import { tags } from '@lezer/highlight'
import type { Diff, DiffOptions, Editor, EditorOptions, TextFault } from './editor'

/** Colours are the console's own, so that they change with its theme. */
const theme = EditorView.theme({
    '&': { backgroundColor: 'var(--surface)', color: 'var(--text)', fontSize: 'var(--size-small)', height: '100%' },
    '&.cm-focused': { outline: 'none' },
    '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6', overflow: 'auto' },
    '.cm-content': { caretColor: 'var(--text)', padding: 'var(--gap-2) 0' },
    '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--text-soft)', border: 'none' },
    '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--sunken)' },
    '.cm-cursor': { borderLeftColor: 'var(--text)' },
    '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
        backgroundColor: 'var(--accent-soft)',
    },
    '.cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--accent)' },
    '.cm-lintRange-error': {
        backgroundImage: 'none',
        textDecoration: 'underline wavy var(--bad)',
        textUnderlineOffset: '3px',
    },
    '.cm-tooltip': { backgroundColor: 'var(--raised)', border: '1px solid var(--line)', color: 'var(--text)' },
    '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
    '.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--text)', borderColor: 'var(--line)' },
    '.cm-foldPlaceholder': { backgroundColor: 'var(--sunken)', border: 'none', color: 'var(--text-soft)' },
    '.cm-changedLine, .cm-insertedLine': { backgroundColor: 'var(--added) !important' },
    '&.cm-merge-a .cm-changedLine, .cm-deletedLine, .cm-deletedChunk': {
        backgroundColor: 'var(--removed) !important',
    },
    '.cm-changedText': { background: 'none', textDecoration: 'underline', textDecorationThickness: '2px' },
    '&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText': { background: 'none' },
    '.cm-collapsedLines': {
        background: 'var(--sunken)',
        color: 'var(--text-soft)',
        padding: '2px var(--gap-4)',
    },
})

const colours = syntaxHighlighting(
    HighlightStyle.define([
        { tag: [tags.propertyName, tags.definition(tags.propertyName), tags.tagName], color: 'var(--accent)' },
        { tag: [tags.string, tags.attributeValue, tags.content], color: 'var(--text)' },
        { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--warn)' },
        { tag: [tags.keyword, tags.attributeName, tags.meta], color: 'var(--good)' },
        { tag: [tags.comment, tags.punctuation, tags.separator, tags.bracket], color: 'var(--text-soft)' },
        { tag: tags.invalid, color: 'var(--bad)' },
    ]),
)

/** The language of a format; flags are JSON or YAML, as the platform tells them apart. */
function languageOf(format: string, text: string): Extension {
    switch (format) {
        case 'json':
            return json()
        case 'yaml':
            return yaml()
        case 'flags':
            return /^[ \t\r\n]*\{/.test(text) ? json() : yaml()
        case 'xml':
            return xml()
        case 'properties':
            return StreamLanguage.define(properties)
        case 'toml':
            return StreamLanguage.define(toml)
        default:
            return []
    }
}

const shown: Extension = [
    theme,
    colours,
    lineNumbers(),
    highlightSpecialChars(),
    drawSelection(),
    EditorState.tabSize.of(4),
    EditorView.lineWrapping,
]

/** Tab leaves the editor, so that nobody is caught in it. */
export function openEditor(parent: HTMLElement, options: EditorOptions): Editor {
    const language = new Compartment()
    const writable = new Compartment()
    const named = new Compartment()
    const nameOf = (label: string) => EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false' })
    const view = new EditorView({
        parent,
        state: EditorState.create({
            doc: options.text,
            extensions: [
                shown,
                history(),
                foldGutter(),
                lintGutter(),
                search({ top: true }),
                highlightSelectionMatches(),
                highlightActiveLine(),
                highlightActiveLineGutter(),
                bracketMatching(),
                indentOnInput(),
                keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, ...foldKeymap]),
                language.of(languageOf(options.format, options.text)),
                writable.of(EditorState.readOnly.of(options.readOnly)),
                named.of(nameOf(options.label)),
                EditorView.updateListener.of(update => {
                    if (update.docChanged) options.changed(update.state.doc.toString())
                }),
            ],
        }),
    })
    return {
        setText(text) {
            if (text === view.state.doc.toString()) return
            view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } })
        },
        setFormat: format =>
            view.dispatch({ effects: language.reconfigure(languageOf(format, view.state.doc.toString())) }),
        setLabel: label => view.dispatch({ effects: named.reconfigure(nameOf(label)) }),
        setReadOnly: readOnly => view.dispatch({ effects: writable.reconfigure(EditorState.readOnly.of(readOnly)) }),
        setFaults: faults =>
            view.dispatch(
                setDiagnostics(
                    view.state,
                    faults.map(fault => diagnosticOf(view.state.doc, fault)),
                ),
            ),
        goTo(fault) {
            const at = placeOf(view.state.doc, fault)
            view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) })
            view.focus()
        },
        close: () => view.destroy(),
    }
}

/** Two texts beside each other, or one above the other where that is too narrow. */
export function openDiff(parent: HTMLElement, options: DiffOptions): Diff {
    const extensions = (label: string, text: string): Extension => [
        shown,
        languageOf(options.format, text),
        EditorState.readOnly.of(true),
        EditorView.contentAttributes.of({ 'aria-label': label }),
    ]
    const collapseUnchanged = { margin: 3, minSize: 6 }
    if (options.narrow) {
        const view = new EditorView({
            parent,
            doc: options.after,
            extensions: [
                extensions(options.afterLabel, options.after),
                unifiedMergeView({
                    original: options.before,
                    mergeControls: false,
                    collapseUnchanged,
                    highlightChanges: true,
                }),
            ],
        })
        return { close: () => view.destroy() }
    }
    const view = new MergeView({
        parent,
        a: { doc: options.before, extensions: extensions(options.beforeLabel, options.before) },
        b: { doc: options.after, extensions: extensions(options.afterLabel, options.after) },
        collapseUnchanged,
        highlightChanges: true,
        gutter: true,
    })
    return { close: () => view.destroy() }
}

/** Lines and columns count from 1; columns are UTF-16 units, as are positions here. */
function placeOf(text: Text, fault: TextFault): number {
    const line = text.line(Math.min(Math.max(fault.line, 1), text.lines))
    return Math.min(line.from + Math.max(fault.column - 1, 0), line.to)
}

function diagnosticOf(text: Text, fault: TextFault): Diagnostic {
    const from = placeOf(text, fault)
    const line = text.lineAt(from)
    const word = /^[^\s,:{}[\]]+/.exec(line.text.slice(from - line.from))?.[0].length ?? 1
    return { from, to: Math.min(from + word, line.to), severity: 'error', message: fault.message }
}
