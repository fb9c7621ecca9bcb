import type { FastifyReply } from 'fastify';

/** An answer to a caller's mistake or to trouble of ours: RFC 9457 with a stable code. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** Of a request that does not fit its schema: each place and what is wrong there. */
  readonly errors?: readonly { readonly path: string; readonly message: string }[] | undefined;
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/**
 * Something that a person or a program asked for is not done, and this is what they are told: over HTTP as a problem,
 * on the command line as a line.
 */
export class Refusal extends Error implements Problem {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly more: {
      readonly errors?: Problem['errors'];
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(detail);
  }

  get errors(): Problem['errors'] {
    return this.more.errors;
  }
}

export async function sendProblem(reply: FastifyReply, problem: Problem): Promise<void> {
  await reply.code(problem.status).header('content-type', PROBLEM_TYPE).send(problemText(problem));
}

export function problemText({ status, code, detail, errors }: Problem): string {
  return JSON.stringify({ status, code, detail, errors });
}
