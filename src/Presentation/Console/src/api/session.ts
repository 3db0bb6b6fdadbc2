import { computed, ref } from 'vue'
import type { components } from '@schema'
import { Fault, faultOf } from './fault'

type SignedIn = components['schemas']['BrowserSignInAnswer']
type WhoAmI = components['schemas']['WhoAmI']

const root = '/groundwork/v1/sign-in/browser'

/** A token that runs out within this is renewed first: the call itself takes time. */
const margin = 30_000

/**
 * The access token lives in memory and nowhere else. The refresh token is in a cookie that no script reads, shared by
 * the tabs of this browser; used twice it ends the sign-in, so tabs renew one at a time and hand each other the result.
 */
let token: { text: string; until: number } | undefined
let renewing: Promise<void> | undefined

export const state = ref<'unknown' | 'out' | 'in'>('unknown')
export const who = ref<WhoAmI>()
/** The revision in force when this tab began; whatever is loaded later is at least as new. */
export let began = 0

export const operator = computed(() => who.value?.principal.replace(/^operator:/, ''))

const others = new BroadcastChannel('groundwork.session')
others.onmessage = (message: MessageEvent<{ token?: typeof token }>) => {
    token = message.data.token
    if (!token) {
        who.value = undefined
        state.value = 'out'
    }
}

async function post(path: string, body?: object): Promise<Response> {
    try {
        const answer = await fetch(root + path, {
            method: 'POST',
            credentials: 'same-origin',
            headers: body ? { 'Content-Type': 'application/json' } : {},
            body: body ? JSON.stringify(body) : null,
        })
        if (!answer.ok) throw await faultOf(answer)
        return answer
    } catch (reason) {
        throw Fault.of(reason)
    }
}

async function take(answer: Response): Promise<void> {
    const signedIn = (await answer.json()) as SignedIn
    token = { text: signedIn.accessToken, until: Date.now() + signedIn.expiresInSeconds * 1000 }
    others.postMessage({ token })
}

function forget(): void {
    token = undefined
    who.value = undefined
    state.value = 'out'
}

async function renew(): Promise<void> {
    const before = token
    await navigator.locks.request('groundwork.session', async () => {
        // Another tab may have renewed while this one waited for its turn.
        if (token !== before && fresh()) return
        await take(await post('/refresh'))
    })
}

const fresh = () => token !== undefined && token.until - Date.now() > margin

/** The token for the next call; renewed when it is about to run out. */
export async function credential(): Promise<string> {
    if (!fresh()) {
        renewing ??= renew().finally(() => (renewing = undefined))
        try {
            await renewing
        } catch (reason) {
            if (reason instanceof Fault && reason.status === 401) forget()
            throw reason
        }
    }
    return token?.text ?? ''
}

/** The token was refused before its time: it was revoked, or the platform has another store now. */
export function refused(): void {
    token = undefined
}

async function enter(): Promise<void> {
    const answer = await fetch('/groundwork/v1/whoami', {
        headers: { Authorization: `Bearer ${await credential()}` },
    })
    if (!answer.ok) throw await faultOf(answer)
    who.value = (await answer.json()) as WhoAmI
    began = Number(answer.headers.get('Groundwork-Revision') ?? 0)
    state.value = 'in'
}

/** Goes on with the sign-in that this browser has, if it has one. */
export async function resume(): Promise<void> {
    try {
        await enter()
    } catch (reason) {
        const fault = Fault.of(reason)
        if (fault.status !== 401) throw fault
        state.value = 'out'
    }
}

export async function signInByLink(link: string): Promise<void> {
    await take(await post('', { link }))
    await enter()
}

export async function signIn(name: string, password: string): Promise<void> {
    await take(await post('', { operator: name, password }))
    await enter()
}

export async function signOut(): Promise<void> {
    await post('/sign-out')
    forget()
    others.postMessage({})
}
