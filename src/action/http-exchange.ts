import type { Dispatcher } from 'undici';
import { OutboundError, SentError } from './outbound-error.js';

/** What came back, as far as it was read. */
export interface Exchanged {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body, or its start. */
  readonly body: Uint8Array;
  /** False when the body went on beyond what is read of it. */
  readonly complete: boolean;
  /** The error that broke the body off; null when nothing did. */
  readonly brokenBy: unknown;
}

const INTERIM_ANSWERS = 32;
const NOTHING = new Uint8Array(0);
const ENOUGH = new Error('enough of the answer was read');

/**
 * One request and the start of its answer, as undici tells of it. The whole takes `timeoutMs` at most, the look-up of
 * the name and the wait for a connection too. A stream for each answer, and a signal for each deadline, would cost more
 * than the rest of the exchange.
 */
export class HttpExchange implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | null = null;
  private settled = false;
  /** undici itself has given it up. */
  private over = false;
  private interimAnswers = 0;
  private answer: Pick<Exchanged, 'status' | 'headers'> | null = null;
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private readonly timer: NodeJS.Timeout;
  private resolve: (exchanged: Exchanged) => void = () => undefined;
  private reject: (error: unknown) => void = () => undefined;

  private constructor(
    timeoutMs: number,
    private readonly maxBytes: number,
  ) {
    this.timer = setTimeout(() => {
      this.end(new OutboundError('DEADLINE_PASSED'));
    }, timeoutMs);
  }

  /**
   * Sends a request. Of the answer's body `maxBytes` are read; the connection of a longer one is closed.
   *
   * @throws OutboundError, or an error of the network; either as the cause of a SentError when the request had been
   * sent. An answer that breaks off after its head is an answer.
   */
  static async begin(
    agent: Dispatcher,
    request: Dispatcher.DispatchOptions,
    { timeoutMs, maxBytes }: { readonly timeoutMs: number; readonly maxBytes: number },
  ): Promise<Exchanged> {
    const exchange = new HttpExchange(timeoutMs, maxBytes);
    return await new Promise<Exchanged>((resolve, reject) => {
      exchange.resolve = resolve;
      exchange.reject = reject;
      try {
        agent.dispatch(request, exchange);
      } catch (error) {
        exchange.end(error);
      }
    });
  }

  /** From now on the target may have got it. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.settled) controller.abort(new OutboundError('DEADLINE_PASSED'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Exchanged['headers'],
  ): void {
    if (status >= 200) this.answer = { status, headers };
    else if (++this.interimAnswers > INTERIM_ANSWERS) this.end(new OutboundError('TOO_MANY_INTERIM_ANSWERS'));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.settled) return;
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.size > this.maxBytes) this.end(null);
  }

  onResponseEnd(): void {
    this.end(null);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.over = true;
    this.end(error);
  }

  /** By an error, or by enough of the body. Whatever comes after the first is of no interest any more. */
  private end(error: unknown): void {
    if (this.settled) return;
    this.settled = true;
    clearTimeout(this.timer);
    const { answer, size, maxBytes, controller } = this;
    const complete = size <= maxBytes;
    if (answer) this.resolve({ ...answer, body: this.body(), complete, brokenBy: error });
    else this.reject(controller ? new SentError(error) : error);
    // What goes on is cut off, with its connection.
    if (!this.over && (error !== null || !complete))
      controller?.abort(error instanceof Error ? error : ENOUGH);
  }

  private body(): Uint8Array {
    const [first = NOTHING] = this.chunks;
    return (this.chunks.length > 1 ? Buffer.concat(this.chunks) : first).subarray(0, this.maxBytes);
  }
}
