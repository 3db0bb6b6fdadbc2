import type { components } from '@schema'

export type Problem = components['schemas']['ProblemDocument']

/** An answer that is not one: the platform's own problem document, or the network's silence. */
export class Fault extends Error {
    constructor(readonly problem: Problem) {
        super(problem.detail)
    }

    get code(): string {
        return this.problem.code
    }

    get status(): number {
        return this.problem.status
    }

    static away(reason: unknown): Fault {
        const detail = reason instanceof Error ? reason.message : String(reason)
        return new Fault({
            type: 'about:blank',
            title: 'The platform does not answer.',
            status: 0,
            detail,
            code: 'away',
        })
    }

    static of(reason: unknown): Fault {
        return reason instanceof Fault ? reason : Fault.away(reason)
    }
}

export async function faultOf(answer: Response): Promise<Fault> {
    try {
        return new Fault((await answer.json()) as Problem)
    } catch {
        return new Fault({
            type: 'about:blank',
            title: answer.statusText || 'The call failed.',
            status: answer.status,
            detail: `The answer ${answer.status} says nothing more.`,
            code: `status_${answer.status}`,
        })
    }
}
