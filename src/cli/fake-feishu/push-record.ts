export type Way = 'long-connection' | 'webhook';

export interface PushOptions {
  /** By itself: the webhook when the app has one, else the long connection. */
  readonly via?: Way | 'both';
  /** Into so many frames; long connection only. */
  readonly fragments?: number;
  /**
   * So many copies more, whatever becomes of the others. Each goes out either together with the first try or after
   * the success, by chance, and is not tried again.
   */
  readonly duplicates?: number;
  /** The fragments go out in another order than theirs. */
  readonly reorder?: boolean;
}

/** One delivery that has ended. */
export interface PushAttempt {
  readonly via: Way;
  /** The number of the connection; null: there was none, or it is a webhook. */
  readonly connection: number | null;
  /** When it began, ms since 1970. */
  readonly at: number;
  /**
   * `failure`: an acknowledgement or answer that is none of success, or nobody is connected; `timeout`: none in time;
   * `dropped`: none, and the connection ended.
   */
  readonly outcome: 'success' | 'failure' | 'timeout' | 'dropped';
  readonly ms: number;
  /** The acknowledgement's code or the HTTP status. */
  readonly code: number | null;
}

/** One event that was pushed, with every delivery of it in the order they ended. */
export interface PushRecord {
  readonly eventId: string;
  readonly appId: string;
  readonly attempts: PushAttempt[];
  /** `done`: it succeeded on every way it went; `given-up`: the last retry failed on one. */
  state: 'pending' | 'done' | 'given-up';
}
