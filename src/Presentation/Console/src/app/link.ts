/**
 * The secret of a sign-in link. It stands in the fragment, which no browser sends, and is taken out of the address and
 * its history when this module is loaded: main.ts loads it first, before the router reads the address.
 */
let taken = /^#link=(gwl_[\w-]+)$/.exec(location.hash)?.[1]
if (taken) history.replaceState(history.state, '', location.pathname + location.search)

/** Gives the secret once. */
export function takeLink(): string | undefined {
    const link = taken
    taken = undefined
    return link
}
