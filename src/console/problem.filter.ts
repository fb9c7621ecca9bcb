import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Log, messageOf } from '../config/log.js';
import { type Problem, PROBLEM_TYPE, problemText, Refusal, sendProblem } from '../config/problem.js';

const PROBLEMS: Readonly<Record<number, Problem>> = {
  400: { status: 400, code: 'REQUEST_INVALID', detail: 'The request cannot be read.' },
  404: { status: 404, code: 'NOT_FOUND', detail: 'There is nothing at this address.' },
  405: { status: 405, code: 'METHOD_NOT_ALLOWED', detail: 'This address does not take that method.' },
  408: { status: 408, code: 'REQUEST_TIMEOUT', detail: 'The request took too long to arrive.' },
  413: { status: 413, code: 'BODY_TOO_LARGE', detail: 'The body is larger than 1 MiB.' },
  415: { status: 415, code: 'MEDIA_TYPE_UNKNOWN', detail: 'The content-type cannot be read.' },
  431: { status: 431, code: 'HEADER_TOO_LARGE', detail: 'The header is larger than 16 KiB.' },
};
/** What Node's HTTP parser calls its errors, to the status they are answered with; all others are 400. */
const STATUS_OF_PARSER: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};
const UNEXPECTED: Problem = {
  status: 500,
  code: 'INTERNAL',
  detail: 'Something went wrong here. The log says what.',
};

/** Every error that no controller answered, as a problem with a stable code. Nothing of ours is told to callers. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  /** Connections that got their answer and their line in the log, though a request on them is still to fail. */
  private readonly refused = new WeakSet<Socket>();

  constructor(private readonly log: Log) {}

  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    await this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  async answer(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (this.refused.has(request.raw.socket)) return;
    const problem = error instanceof Refusal ? error : problemOf(statusOf(error));
    const fields = {
      event: 'request.refused',
      status: problem.status,
      code: problem.code,
      ip: request.raw.socket.remoteAddress,
    };
    if (problem.status >= 500) this.log.error(fields, messageOf(error));
    else this.log.warn(fields, problem.detail);
    if (reply.sent) return;
    if (error instanceof Refusal) reply.headers(error.more.headers ?? {});
    await sendProblem(reply, problem);
  }

  /** Node could not read a request on this connection, or not in time. It tells of that before any controller or filter. */
  unreadable(error: NodeJS.ErrnoException, socket: Socket): void {
    if (error.code === 'ECONNRESET') return;
    // A connection on which nothing was ever asked, as load balancers open to see whether somebody is there.
    if (socket.bytesRead === 0) socket.destroy();
    this.refuse(socket, STATUS_OF_PARSER[error.code ?? ''] ?? 400, error.code);
  }

  /** Answers on the bare connection and ends it. */
  refuse(socket: Socket, statusWanted: number, cause?: string): void {
    if (socket.destroyed || this.refused.has(socket)) return;
    this.refused.add(socket);
    const problem = problemOf(statusWanted);
    const { status, code, detail } = problem;
    this.log.warn({ event: 'request.refused', status, code, ip: socket.remoteAddress, cause }, detail);
    const body = problemText(problem);
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      'connection: close',
      `content-type: ${PROBLEM_TYPE}`,
      `content-length: ${body.length}`,
    ];
    if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    // At once, as Node does: what else arrives here could be taken for another request.
    socket.destroy();
  }
}

function problemOf(status: number): Problem {
  const known = PROBLEMS[status];
  if (known) return known;
  return status < 500
    ? { status, code: 'REQUEST_INVALID', detail: 'The request cannot be taken.' }
    : UNEXPECTED;
}

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null) return 500;
  if (error instanceof HttpException) return error.getStatus();
  return 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
}
