import { mayDrain, mayOverride, mayRemoveOverride, mayUndrain, type ServiceName } from './service'
import type { Instance } from './state'

/** What people do with an instance. */
export type Action = 'drain' | 'undrain' | 'override' | 'remove'

/** What this operator may do with it now, the most likely first. */
export function actionsFor(name: ServiceName, instance: Instance): Action[] {
    const id = instance.id ?? ''
    const registered = instance.override?.registeredStatus ?? instance.status
    const isDraining = registered === 'draining'
    const isOverridden = instance.override?.source === 'instance-override'
    return [
        ...(isDraining
            ? mayUndrain(name, id)
                ? ['undrain' as const]
                : []
            : mayDrain(name, id)
              ? ['drain' as const]
              : []),
        ...(mayOverride(name, id) ? ['override' as const] : []),
        ...(isOverridden && mayRemoveOverride(name, id) ? ['remove' as const] : []),
    ]
}
