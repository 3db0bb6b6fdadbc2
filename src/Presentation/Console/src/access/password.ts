/** As the platform's own hashes: PBKDF2 with HMAC-SHA512, so many rounds (OWASP's figure), 16 and 32 bytes. */
const rounds = 220_000
const saltBytes = 16
const keyBytes = 32
const sha512 = 2

/** Browsers compute only on pages that came over TLS or from this machine. */
export const canHash = (): boolean => globalThis.crypto?.subtle !== undefined

/**
 * The hash that an operator's resource holds: ASP.NET Core Identity's format, version 3. The password itself never
 * leaves this page.
 */
export async function hash(password: string): Promise<string> {
    const salt = crypto.getRandomValues(new Uint8Array(saltBytes))
    const material = await crypto.subtle.importKey('raw', new TextEncoder().encode(password), 'PBKDF2', false, [
        'deriveBits',
    ])
    const key = await crypto.subtle.deriveBits(
        { name: 'PBKDF2', hash: 'SHA-512', salt, iterations: rounds },
        material,
        keyBytes * 8,
    )
    const bytes = new Uint8Array(13 + saltBytes + keyBytes)
    const head = new DataView(bytes.buffer)
    head.setUint8(0, 1)
    head.setUint32(1, sha512)
    head.setUint32(5, rounds)
    head.setUint32(9, saltBytes)
    bytes.set(salt, 13)
    bytes.set(new Uint8Array(key), 13 + saltBytes)
    return btoa(String.fromCharCode(...bytes))
}
