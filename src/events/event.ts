/** How an event came in; `schedule`: it did not, a rule with a schedule came due. */
export type SourceKind = 'feishu-webhook' | 'feishu-long-connection' | 'webhook' | 'reconcile' | 'schedule';

/**
 * What came beside the body of another system's event and is needed to read it. `json`: the fields are the members of
 * the object at `fields` in the body (empty: the body itself). `cloudevents`: `attributes` are the context attributes
 * that came as headers (binary mode); null: the body holds them and the data (structured mode).
 */
export type Transport =
  | { readonly format: 'json'; readonly fields: readonly string[] }
  | {
      readonly format: 'cloudevents';
      readonly attributes: Readonly<Record<string, string>> | null;
      /** Of the data in binary mode. */
      readonly contentType?: string;
    };

/** What happened outside, as received. Immutable; its key is origin + event id. */
export interface IncomingEvent {
  /** Whose ids these are: `feishu:<app_id>` whichever way the event came in. */
  readonly origin: string;
  /** The sender's id of the event, unique within the origin. */
  readonly eventId: string;
  readonly eventType: string;
  readonly source: SourceKind;
  /** Milliseconds since 1970 of when it happened, by the sender; null when the sender's text is no time. */
  readonly createTime: number | null;
  /** Orders events of one entity and one create time: the place of its status in the catalogue's status order, else 0. */
  readonly statusRank: number;
  /** The process or approval instance it belongs to; null: the event stands for itself. */
  readonly rootEntity: string | null;
  /** The body as received, with the verification token blanked. */
  readonly raw: Buffer;
  /** The decrypted body, with the token blanked; null when the body came in plain. */
  readonly content: Buffer | null;
  /** Null: the body is a Feishu envelope. */
  readonly transport: Transport | null;
}
