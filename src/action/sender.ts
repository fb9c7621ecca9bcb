/** What a rule says success is, beyond the status: which statuses, or what a JSON answer must hold. */
export type HttpSuccess =
  | { readonly status: readonly number[] }
  | { readonly path: string; readonly equal: string | number | boolean | null };

/** An HTTP request ready to go: templates rendered, secrets in place. Never stored, never logged. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Milliseconds for the whole attempt: name look-up, connection, request, answer. */
  readonly timeoutMs: number;
  /** null: any 2xx. */
  readonly success: HttpSuccess | null;
}

/** A mail ready to go. Each address is one plain address, checked again by the sender. */
export interface EmailRequest {
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly replyTo: readonly string[];
  readonly subject: string;
  readonly text: string | null;
  readonly html: string | null;
}

/** How one attempt ended. `permanent`: trying again cannot help, a person must look. */
export interface AttemptResult {
  readonly outcome: 'delivered' | 'retry' | 'permanent';
  /** A stable code of what went wrong; null when delivered. */
  readonly code: string | null;
  /** One sentence for people. Holds no secret. */
  readonly detail: string;
  /** The HTTP status or the SMTP reply code, when there was one. */
  readonly status: number | null;
  /** The start of the answer as text, at most 4 kB. */
  readonly answer: string;
  /** Milliseconds the target asked to wait, as it said it (not clamped); null when it did not. */
  readonly retryAfterMs: number | null;
}

/** Sends one kind of action. Never throws for what a target does: every ending is a result. */
export interface Sender<Request> {
  /**
   * `actionKey` is the same for every attempt of one delivery. `secrets` are the secret values within the request:
   * a target may echo them, and what is kept of its answer holds none.
   */
  send(request: Request, actionKey: string, secrets?: readonly string[]): Promise<AttemptResult>;
  /** Ends idle connections. */
  close(): Promise<void>;
}
