import { effectScope } from 'vue'
import { expect, test } from 'vitest'
import { useLoad } from './load'

test('who waits for a load that was overtaken gets what the later one brings', async () => {
    const answers: ((value: string) => void)[] = []
    const scope = effectScope()
    const load = scope.run(() => useLoad(() => new Promise<string>(resolve => answers.push(resolve))))!
    answers[0]!('first')
    await Promise.resolve()
    let seen: string | undefined
    const waiting = load.reload().then(() => (seen = load.data.value))
    const later = load.reload()
    answers[1]!('overtaken')
    await new Promise(resolve => setTimeout(resolve))
    expect(seen).toBeUndefined()
    answers[2]!('now')
    await Promise.all([waiting, later])
    expect(seen).toBe('now')
    scope.stop()
})
