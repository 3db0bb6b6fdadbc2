export const en = {
    page: { backup: 'Backup' },
    backup: {
        note: 'Everything in the store at one revision, as one file.',
        what: 'Resources with their history, the audit trail and what modules keep; taken while everything goes on.',
        rootKey: 'The root key is not in it: without that key it is of no use to a thief, nor to you.',
        take: 'Take a backup',
        taking: 'Taking a backup',
        came: '{size} so far',
        taken: '{name} is taken: {size}. Your browser saves it.',
        restore: 'Restore',
        restoreNote:
            'Where no node runs and the root key is. Into SQLite or PostgreSQL, whichever it was taken from.',
        past: 'Backups that were taken',
        none: 'None so far.',
        at: 'When',
        who: 'Who',
        of: 'Of',
        outcome: 'Outcome',
        detail: 'Detail',
    },
}
