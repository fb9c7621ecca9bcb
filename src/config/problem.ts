import type { FastifyReply } from 'fastify';

/** An answer to a caller's mistake or to trouble of ours: RFC 9457 with a stable code. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

export async function sendProblem(reply: FastifyReply, { status, code, detail }: Problem): Promise<void> {
  await reply
    .code(status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify({ status, code, detail }));
}
