import { describe, expect, it } from 'vitest'
import { parsePath, spellPath, valueAt, withValue } from './fieldPath'
import { readYaml, rewriteYaml, writeYaml } from './specYaml'

describe('a spec as YAML', () => {
    const spec = {
        hosts: ['*.example.com', '*'],
        path: '/api/**',
        flag: true,
        no: 'no',
        number: '12',
        timeouts: { connectMs: 100 },
        text: 'one\ntwo\n\n  three\n',
        labels: { 'a.b': 'x' },
        nothing: null,
        empty: [],
    }

    it('says the same there and back', () => {
        const read = readYaml(writeYaml(spec))
        expect(read.faults).toEqual([])
        expect(read.value).toEqual(spec)
    })

    it('writes texts of several lines as a block', () => expect(writeYaml(spec)).toContain('text: |\n  one\n  two\n'))

    it('tells where a field is', () => {
        const { lineOf } = readYaml('hosts:\n  - a\n  - b\ntimeouts:\n  connectMs: 1\n')
        expect(lineOf(['hosts'])).toBe(1)
        expect(lineOf(['hosts', 1])).toBe(3)
        expect(lineOf(['timeouts', 'connectMs'])).toBe(5)
        expect(lineOf(['timeouts', 'missing'])).toBe(4)
        expect(lineOf(['missing'])).toBe(1)
    })

    for (const [text, line] of [
        ['a: 1\nb: [1, 2\n', 2],
        ['a: 1\na: 2\n', 2],
        ['a: 1\nb: .nan\n', 2],
        ['a:\n  - 12345678901234567890\n', 2],
        ['a: &x [*x]\n', 1],
    ] as const)
        it(`refuses ${JSON.stringify(text)} at its line`, () => {
            const { faults } = readYaml(text)
            expect(faults[0]?.line).toBeGreaterThanOrEqual(line)
            expect(faults[0]?.message).not.toBe('')
        })

    it('does not become gigabytes by aliases', () => {
        const names = 'abcdefghij'
        const text = [...names]
            .map(
                (name, at) =>
                    `${name}: &${name} [${Array(9)
                        .fill(at ? `*${names[at - 1]}` : 'x')
                        .join(', ')}]`,
            )
            .join('\n')
        expect(readYaml(text).faults).toHaveLength(1)
    })

    it('is rewritten with its comments', () => {
        const text = '# ours\nhosts:\n  # all\n  - "*"\npath: /a # the path\ntimeouts:\n  connectMs: 1\n'
        const next = rewriteYaml(text, { hosts: ['*', 'b'], path: '/b', timeouts: { idleMs: 2 }, methods: ['GET'] })
        expect(next).toContain('# ours')
        expect(next).toContain('# all')
        expect(next).toContain('path: /b # the path')
        expect(readYaml(next).value).toEqual({
            hosts: ['*', 'b'],
            path: '/b',
            timeouts: { idleMs: 2 },
            methods: ['GET'],
        })
    })

    it('is as if written anew where it was empty', () => {
        const after = { spec: { hosts: ['a.example'], path: '/made/**', timeouts: { connectMs: 250 } } }
        let text = writeYaml({ spec: { hosts: [''], path: '', timeouts: {} } })
        text = rewriteYaml(text, { spec: { hosts: ['a'], path: '', timeouts: {} } })
        expect(rewriteYaml(text, after)).toBe(writeYaml(after))
        expect(rewriteYaml('a: []\nb: {}\n', { a: [], b: {} })).toBe('a: []\nb: {}\n')
    })

    it('says any value after it is rewritten', () => {
        const values = [
            spec,
            { a: 1 },
            { a: [1, { b: 2 }, 'x\ny'] },
            { a: { b: null } },
            {},
            { a: 'null' },
            { a: [] },
        ]
        for (const before of values)
            for (const after of values) expect(readYaml(rewriteYaml(writeYaml(before), after)).value).toEqual(after)
    })
})

describe('a path of the API', () => {
    const document = { spec: { grants: [{ verbs: ['read'] }], labels: { 'a.b': 1, a: 2 }, timeouts: {} } }

    it('is found in the document', () => {
        for (const [text, path] of [
            ['spec.grants[0].verbs[0]', ['spec', 'grants', 0, 'verbs', 0]],
            ['spec.labels.a.b', ['spec', 'labels', 'a.b']],
            ['spec.labels.a', ['spec', 'labels', 'a']],
            ['spec.timeouts.connectMs', ['spec', 'timeouts', 'connectMs']],
            ['spec', ['spec']],
            ['', []],
        ] as const) {
            expect(parsePath(text, document)).toEqual(path)
            expect(spellPath(path)).toBe(text)
        }
    })

    it('always ends, whatever it is', () => {
        for (const text of ['..', '[', 'a[b', 'a..b', '[0', ']', 'a.'])
            expect(parsePath(text, document).length).toBeLessThan(6)
    })

    it('is changed without touching the rest', () => {
        const next = withValue(document, ['spec', 'grants', 0, 'verbs', 1], 'write') as typeof document
        expect(valueAt(next, ['spec', 'grants', 0, 'verbs'])).toEqual(['read', 'write'])
        expect(next.spec.labels).toBe(document.spec.labels)
        expect(document.spec.grants[0]?.verbs).toEqual(['read'])
        expect(withValue(next, ['spec', 'grants', 0], undefined)).toEqual({ spec: { ...document.spec, grants: [] } })
        expect(withValue(undefined, ['a', 0, 'b'], 1)).toEqual({ a: [{ b: 1 }] })
    })
})
