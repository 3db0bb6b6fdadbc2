import { computed, inject, onScopeDispose, provide, ref, shallowRef, watch, type InjectionKey } from 'vue'
import type { components } from '@schema'
import { Fault } from '@/api/fault'
import { word } from '@/app/language'
import { parsePath, pathKey, valueAt, withValue, type FieldPath } from './fieldPath'
import { readYaml, rewriteYaml, writeYaml, type LineFault, type ReadYaml } from './specYaml'

/** What people write of a resource: its labels and its spec. */
export interface Written {
    labels?: Record<string, string>
    spec: unknown
}

type ChangesetAnswer = components['schemas']['ChangesetAnswer']

/** After the last key, before the platform is asked what it thinks of the text. */
const checkAfter = 500

/**
 * A resource that is being written, by its form and by its YAML at once: each shows what the other says. A text that
 * cannot be read leaves the form as it was. Faults are told by their place: at the field and at the line.
 */
export function useDraft(dryRun: (written: Written) => Promise<ChangesetAnswer | undefined>) {
    const text = ref('')
    const value = shallowRef<Written>({ spec: {} })
    const base = shallowRef<Written>({ spec: {} })
    const broken = shallowRef<LineFault[]>([])
    const fault = shallowRef<Fault>()
    const answer = shallowRef<ChangesetAnswer>()
    const checking = ref(false)
    const read = computed(() => readYaml(text.value))

    function begin(written: Written): void {
        value.value = base.value = written
        text.value = writeYaml(written)
        broken.value = []
        fault.value = answer.value = undefined
    }

    function setText(next: string): void {
        text.value = next
        broken.value = read.value.faults.length ? read.value.faults : shapeFaults(read.value)
        if (!broken.value.length) value.value = read.value.value as Written
    }

    function set(path: FieldPath, next: unknown): void {
        value.value = withValue(value.value, path, next) as Written
        text.value = rewriteYaml(text.value, value.value)
    }

    const fields = computed(() =>
        (fault.value?.problem.fields ?? []).map(one => ({ ...one, at: parsePath(one.path, value.value) })),
    )
    const byPath = computed(() => {
        const found = new Map<string, string[]>()
        for (const one of fields.value)
            found.set(pathKey(one.at), [...(found.get(pathKey(one.at)) ?? []), one.message])
        return found
    })
    /** Faults by the lines of the text: those of YAML itself, then those that the platform told. */
    const lines = computed<LineFault[]>(() =>
        broken.value.length
            ? broken.value
            : fields.value
                  .filter(one => one.at.length > 0 && one.path !== 'name')
                  .map(one => ({ line: read.value.lineOf(one.at), message: `${one.path} ${one.message}` })),
    )
    const changed = computed(() => JSON.stringify(value.value) !== JSON.stringify(base.value))

    let timer: ReturnType<typeof setTimeout> | undefined
    let round = 0
    async function check(): Promise<void> {
        const mine = ++round
        if (broken.value.length) return
        checking.value = true
        try {
            const said = await dryRun(value.value)
            if (mine !== round) return
            answer.value = said
            fault.value = undefined
        } catch (reason) {
            if (mine !== round) return
            answer.value = undefined
            fault.value = Fault.of(reason)
        } finally {
            if (mine === round) checking.value = false
        }
    }
    function checkSoon(): void {
        clearTimeout(timer)
        timer = setTimeout(() => void check(), checkAfter)
    }
    watch(value, () => {
        clearTimeout(timer)
        if (changed.value) checkSoon()
    })
    onScopeDispose(() => {
        clearTimeout(timer)
        round++
    })

    return {
        text,
        value,
        base,
        broken,
        fault,
        answer,
        checking,
        lines,
        changed,
        begin,
        setText,
        set,
        check,
        checkSoon,
        byPath,
    }
}

export type Draft = ReturnType<typeof useDraft>

/** A text says the spec and the labels of a resource, and nothing besides. */
function shapeFaults({ value, lineOf }: ReadYaml): LineFault[] {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !('spec' in value))
        return [{ line: 1, message: word('form.noSpec') }]
    return Object.keys(value)
        .filter(name => name !== 'spec' && name !== 'labels')
        .map(name => ({ line: lineOf([name]), message: `${name}: ${word('form.unknownMember')}` }))
}

const key: InjectionKey<Draft> = Symbol('draft')

export const provideDraft = (draft: Draft): void => provide(key, draft)

/** The draft that a field of its form is a part of. */
export function useField(path: () => FieldPath) {
    const draft = inject(key)
    if (!draft) throw new Error('A field stands in the form of a draft.')
    return {
        value: computed(() => valueAt(draft.value.value, path())),
        /** What was there before the draft began. */
        before: computed(() => valueAt(draft.base.value, path())),
        faults: computed(() => draft.byPath.value.get(pathKey(path())) ?? []),
        set: (next: unknown) => draft.set(path(), next),
    }
}
