export const en = {
    page: { audit: 'Audit' },
    audit: {
        note: 'Sign-ins, uses of keys, reads of secrets, refusals. Every row is linked to the one before it.',
        principal: 'Principal',
        action: 'Action',
        target: 'Target',
        outcome: 'Outcome',
        at: 'When',
        address: 'Address',
        filterPrincipal: 'Filter by principal',
        filterAction: 'Filter by action',
        verifying: 'Verifying both chains…',
        intact: 'Intact: {changes} changes, {events} events, {checkpoints} checkpoints.',
        broken: 'Not intact',
        none: 'No row matches.',
    },
}
