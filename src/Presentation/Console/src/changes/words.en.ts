export const en = {
    page: { changes: 'Changes' },
    changes: {
        note: 'Who changed what, when and why. One line is one changeset: all of it or nothing.',
        author: 'Author',
        name: 'Name prefix',
        allKinds: 'All kinds',
        moreResources: 'and {count} more',
        none: 'No change matches.',
        end: 'These are all {count}.',
    },
    change: {
        title: 'Changeset {revision}',
        count: 'Resources: {count}',
        show: 'Show the difference',
        hide: 'Hide',
        differenceOf: 'What was changed in {name}',
        revertTitle: 'Revert changeset {revision}?',
        revertNote:
            'Each resource goes back to what it was before, in a new changeset. What was changed since is a conflict.',
        trying: 'Asking the platform what that would do…',
        would: 'This would happen:',
        wouldPropose: 'This would wait for the approval of a second person:',
        conflicts: 'These were changed since; nothing is reverted until they are looked at one by one:',
        result: {
            created: 'would be created',
            updated: 'would go back',
            deleted: 'would be deleted',
            unchanged: 'would stay',
        },
    },
}
