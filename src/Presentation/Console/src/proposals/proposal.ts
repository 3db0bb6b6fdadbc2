import { may } from '@/api/access'
import { who } from '@/api/session'
import type { components } from '@schema'

export type Proposal = components['schemas']['ProposalDocument']
export type ProposedChange = components['schemas']['ChangeDocument']

/** What a proposal's state is for people: one that waits and cannot be released any more is outdated. */
export type Standing = 'proposed' | 'outdated' | 'released' | 'refused'

export const standingOf = (proposal: Proposal): Standing =>
    proposal.state === 'proposed' && proposal.outdated?.length ? 'outdated' : (proposal.state as Standing)

export const toneOf = (standing: Standing): 'good' | 'warn' | 'bad' | 'quiet' =>
    (({ proposed: 'warn', outdated: 'bad', released: 'good', refused: 'quiet' }) as const)[standing]

export const isMine = (proposal: Proposal): boolean => proposal.author === who.value?.principal

/** Whether this operator may decide about all that the proposal changes. */
export const mayDecide = (proposal: Proposal): boolean =>
    proposal.changes.every(one => may('approve', one.resource.kind, one.resource.namespace ?? '', one.resource.name))
