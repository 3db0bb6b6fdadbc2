export const en = {
    page: { changes: 'Changes' },
    changes: {
        note: 'Who changed what, when and why. One line is one changeset: all of it or nothing.',
        put: 'wrote',
        delete: 'deleted',
        moreResources: 'and {count} more',
        noReason: 'no reason given',
        none: 'Nothing has been changed yet.',
    },
    change: {
        title: 'Changeset {revision}',
        revertTitle: 'Revert changeset {revision}?',
        revertNote:
            'Each resource goes back to what it was before, in a new changeset. What was changed since is a conflict.',
        why: 'Why? (others will read it)',
        done: 'Reverted by changeset {revision}.',
        proposed: 'A second person must approve it: proposal {proposal}.',
    },
}
