export const en = {
    page: { overview: 'Overview' },
    overview: {
        title: 'Overview',
        nodes: 'Nodes',
        services: 'Services',
        instances: 'Instances',
        unhealthy: 'not healthy',
        allHealthy: 'all healthy',
        revision: 'Revision',
        lastChanges: 'Last changes',
        needsCare: 'Needs care',
        nothingNeedsCare: 'Everything that registered is healthy, and no proposal waits.',
        proposals: 'proposals wait for a second person',
        protected: 'is protected: too many instances fell silent at once',
        down: '{healthy} of {instances} instances are healthy',
        nodeState: 'is {state}',
    },
}
