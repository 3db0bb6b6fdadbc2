/** The spec of the kind `operator`. The hash is shown masked, and kept when it is sent back so. */
export interface OperatorSpec {
    passwordHash: unknown
    roles: string[]
    displayName?: string | null
    disabled?: boolean
}
