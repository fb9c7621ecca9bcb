/** What a rule says success is, beyond the status: which statuses, or what a JSON answer must hold. */
export type HttpSuccess =
  | { readonly status: readonly number[] }
  | { readonly path: string; readonly equal: string | number | boolean | null };

/** Which of the operator's Feishu apps a request goes through. */
export interface FeishuAuth {
  /** Its name or app id, as the rule says it; null: the rule leaves it open. */
  readonly app: string | null;
  /** The app id that the event came from; null when it came from elsewhere. */
  readonly eventApp: string | null;
}

/** An HTTP request ready to go: templates rendered, secrets in place. Never stored, never logged. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Milliseconds for the whole attempt: name look-up, connection, request, answer. */
  readonly timeoutMs: number;
  /** null: any 2xx; with `auth` code 0 in its answer. */
  readonly success: HttpSuccess | null;
  /** Sent with the app's tenant token to the platform; then `url` may be a path. Absent: sent to anybody. */
  readonly auth?: FeishuAuth;
  /** The secret whose keys sign it as Standard Webhooks wants it. Absent: it is not signed. */
  readonly sign?: string | null;
}

/** What a Feishu message says: a text, or the JSON of a card. The other one is null. */
export interface FeishuText {
  readonly text: string | null;
  readonly card: Readonly<Record<string, unknown>> | null;
}

/** A message to a custom bot, ready to go. The URL is itself a secret. */
export interface FeishuBotRequest extends FeishuText {
  readonly url: string;
  /** Null: the bot asks for no signature. */
  readonly signSecret: string | null;
}

/** Whom a message of an app can go to. */
export const RECEIVER_KINDS = ['open_id', 'user_id', 'union_id', 'email', 'chat_id'] as const;
export type ReceiverKind = (typeof RECEIVER_KINDS)[number];

/** A message of an app, ready to go. */
export interface FeishuMessageRequest extends FeishuText, FeishuAuth {
  readonly to: { readonly kind: ReceiverKind; readonly id: string };
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
  /** Who still has to get it, as `AttemptResult.left` says; absent: everybody. */
  readonly left?: readonly number[];
}

/**
 * How one attempt ended. `permanent`: trying again cannot help, a person must look. `deferred`: it was no attempt,
 * nothing was sent, because a limit of the target is used up; `retryAfterMs` says until when.
 */
export interface AttemptResult {
  readonly outcome: 'delivered' | 'retry' | 'permanent' | 'deferred';
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
  /** No answer came after the request was sent: whether the target did the work is not known. Absent: it is. */
  readonly ambiguous?: boolean;
  /** What it says of the target itself: it answers, or it is down. Absent: nothing. */
  readonly target?: 'up' | 'down';
  /** A mail that some recipients have got: who has not, by their places among `to`, `cc` and `bcc` in that order. */
  readonly left?: readonly number[];
}

/** Sends one kind of action. Never throws for what a target does: every ending is a result. */
export interface Sender<Request> {
  /**
   * `actionKey` is the same for every attempt of one delivery. `secrets` are the secret values within the request:
   * a target may echo them, and what is kept of its answer holds none.
   */
  send(request: Request, actionKey: string, secrets?: readonly string[]): Promise<AttemptResult>;
}

/** The senders of one installation. */
export interface Senders {
  readonly http: Sender<HttpRequest>;
  /** Null: no mail server is set. */
  readonly email: Sender<EmailRequest> | null;
  readonly feishuBot: Sender<FeishuBotRequest>;
  readonly feishuMessage: Sender<FeishuMessageRequest>;
}
