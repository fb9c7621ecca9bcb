import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type Log, messageOf } from '../config/log.js';
import { type Problem, sendProblem } from '../config/problem.js';

const PROBLEMS: Readonly<Record<number, Problem>> = {
  400: { status: 400, code: 'REQUEST_INVALID', detail: 'The request cannot be read.' },
  404: { status: 404, code: 'NOT_FOUND', detail: 'There is nothing at this address.' },
  405: { status: 405, code: 'METHOD_NOT_ALLOWED', detail: 'This address does not take that method.' },
  408: { status: 408, code: 'REQUEST_TIMEOUT', detail: 'The request took too long to arrive.' },
  413: { status: 413, code: 'BODY_TOO_LARGE', detail: 'The body is larger than 1 MiB.' },
  415: { status: 415, code: 'MEDIA_TYPE_UNKNOWN', detail: 'The content-type cannot be read.' },
};
const UNEXPECTED: Problem = {
  status: 500,
  code: 'INTERNAL',
  detail: 'Something went wrong here. The log says what.',
};

/** Every error that no controller answered, as a problem with a stable code. Nothing of ours is told to callers. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    const status = statusOf(error);
    const problem =
      PROBLEMS[status] ??
      (status < 500
        ? { status, code: 'REQUEST_INVALID', detail: 'The request cannot be taken.' }
        : UNEXPECTED);
    const fields = { event: 'request.refused', status: problem.status, code: problem.code };
    if (problem.status >= 500) this.log.error(fields, messageOf(error));
    else this.log.warn(fields, problem.detail);
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (!reply.sent) await sendProblem(reply, problem);
  }
}

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null) return 500;
  if (error instanceof HttpException) return error.getStatus();
  return 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
}
