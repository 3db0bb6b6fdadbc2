import { expect, test } from 'vitest'
import { matcher } from './matcher'

test('all words must be there, in any order and case', () => {
    const matches = matcher('  Cart eu ')
    expect(matches('shop/EU/cart')).toBe(true)
    expect(matches('shop/us/cart')).toBe(false)
})

test('no words match everything', () => expect(matcher(' ')('')).toBe(true))
