import { describe, expect, it } from 'vitest'
import { orderOf, SettingTree, type Summary } from './tree'

const setting = (namespace: string, group: string, dataId: string, more: Partial<Summary> = {}): Summary => ({
    namespace,
    group,
    dataId,
    format: 'yaml',
    revision: 1,
    changedBy: 'operator:admin',
    changedAt: '2026-01-01T00:00:00Z',
    secret: false,
    hasSchema: false,
    ...more,
})
const all = () => true
const names = (rows: { level: number; name: string }[]) => rows.map(row => `${row.level} ${row.name}`)

describe('the order of groups', () => {
    const includes = new Map([
        ['default/orders', ['eu-defaults', 'payments']],
        ['default/payments', ['base']],
        ['default/a', ['b']],
        ['default/b', ['a']],
    ])

    it('has what a group includes before it, and lowest what comes first', () => {
        expect(orderOf(includes, 'default', ['orders'])).toEqual(['eu-defaults', 'base', 'payments', 'orders'])
        expect(orderOf(includes, 'default', ['base', 'orders'])).toEqual([
            'base',
            'eu-defaults',
            'payments',
            'orders',
        ])
        expect(orderOf(includes, 'other', ['orders'])).toEqual(['orders'])
    })

    it('ends in a circle', () => {
        expect(orderOf(includes, 'default', ['a'])).toContain('b')
    })
})

describe('the tree', () => {
    const tree = new SettingTree(
        [
            setting('prod', 'shop', 'a.yaml'),
            setting('default', 'shop', 'front.yaml', { description: 'The banner' }),
            setting('default', 'shared', 'log.yaml'),
            setting('default', 'Z', 'deep/er.json', { format: 'json' }),
        ],
        new Map([['default/shop', ['Z']]]),
    )

    it('is by namespace and group, each in order, with its place', () => {
        const rows = tree.rows('', all)
        expect(names(rows)).toEqual([
            '1 default',
            '2 Z',
            '3 deep/er.json',
            '2 shared',
            '3 log.yaml',
            '2 shop',
            '3 front.yaml',
            '1 prod',
            '2 shop',
            '3 a.yaml',
        ])
        expect(rows[0]).toMatchObject({ count: 3, place: 1, of: 2 })
        expect(rows[1]).toMatchObject({ count: 1, place: 1, of: 3 })
    })

    it('says what is read with a group: the shared one lowest, itself last', () => {
        const orders = tree
            .rows('', all)
            .filter(row => row.level === 2)
            .map(row => row.order)
        expect(orders).toEqual([['shared', 'Z'], ['shared'], ['shared', 'Z', 'shop'], ['shop']])
    })

    it('has nothing below what is closed', () => {
        expect(names(tree.rows('', key => key === 'default'))).toEqual([
            '1 default',
            '2 Z',
            '2 shared',
            '2 shop',
            '1 prod',
        ])
    })

    it('shows with a filter all that has every word, and what is above it', () => {
        expect(names(tree.rows('SHOP banner', () => false))).toEqual(['1 default', '2 shop', '3 front.yaml'])
        expect(names(tree.rows('json', () => false))).toEqual(['1 default', '2 Z', '3 deep/er.json'])
        expect(tree.rows('nothing', all)).toEqual([])
    })

    it('is quick with ten thousand settings', () => {
        const many = Array.from({ length: 10_000 }, (_, at) => setting('default', `g-${at % 200}`, `${at}.yaml`))
        const started = performance.now()
        const large = new SettingTree(many, new Map())
        expect(large.rows('', all)).toHaveLength(10_201)
        expect(large.rows('g-7 9', all).length).toBeGreaterThan(2)
        expect(performance.now() - started).toBeLessThan(1_000)
    })
})
