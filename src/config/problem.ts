import type { FastifyReply } from 'fastify';

/** An answer to a caller's mistake or to trouble of ours: RFC 9457 with a stable code. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export async function sendProblem(reply: FastifyReply, problem: Problem): Promise<void> {
  await reply.code(problem.status).header('content-type', PROBLEM_TYPE).send(problemText(problem));
}

export function problemText({ status, code, detail }: Problem): string {
  return JSON.stringify({ status, code, detail });
}
