import { until } from './door.js';

export interface Message {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** A listener to a stream of server-sent events. */
export class EventStream {
  readonly messages: Message[] = [];
  comments = 0;
  ended = false;
  private rest = '';

  private constructor(
    readonly status: number,
    readonly headers: Headers,
    private readonly abort: AbortController,
  ) {}

  static async open(
    url: string,
    token: string,
    { query = '', lastId }: { query?: string; lastId?: string } = {},
  ): Promise<EventStream> {
    const abort = new AbortController();
    const answer = await fetch(`${url}/api/v1/stream${query}`, {
      signal: abort.signal,
      headers: {
        authorization: `Bearer ${token}`,
        ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
      },
    });
    const stream = new EventStream(answer.status, answer.headers, abort);
    void stream.read(answer);
    return stream;
  }

  /** The messages of one kind. */
  of(event: string): Message[] {
    return this.messages.filter((one) => one.event === event);
  }

  /** Until there are so many messages of a kind. */
  async has(event: string, count = 1): Promise<Message[]> {
    await until(() => this.of(event).length >= count);
    return this.of(event);
  }

  async end(): Promise<void> {
    await until(() => this.ended);
  }

  close(): void {
    this.abort.abort();
  }

  private async read(answer: Response): Promise<void> {
    const decoder = new TextDecoder();
    try {
      const chunks = (answer.body ?? []) as AsyncIterable<Uint8Array>;
      for await (const chunk of chunks) this.take(decoder.decode(chunk, { stream: true }));
    } catch {
      // Cut off.
    }
    this.ended = true;
  }

  private take(text: string): void {
    const frames = (this.rest + text).split('\n\n');
    this.rest = frames.pop() ?? '';
    for (const frame of frames) {
      const fields = Object.fromEntries(
        frame
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      );
      if (fields['data'] === undefined) this.comments += 1;
      else
        this.messages.push({
          id: fields['id'] ?? '',
          event: fields['event'] ?? '',
          data: JSON.parse(fields['data']) as Record<string, unknown>,
        });
    }
  }
}
