/** Why a request did not go out, or was given up, by our own doing. `networkOutcome` says what it means for a delivery. */
export class OutboundError extends Error {
  constructor(
    readonly code:
      | 'URL_INVALID'
      | 'HEADER_INVALID'
      | 'ADDRESS_FORBIDDEN'
      | 'PROXY_FAILED'
      | 'DEADLINE_PASSED'
      | 'TOO_MANY_INTERIM_ANSWERS',
    /** A sentence for people; of `PROXY_FAILED` the end of one that begins with the host. Holds no secret. */
    message: string = code,
  ) {
    super(message);
    this.name = 'OutboundError';
  }
}

/** No whole answer came to a request that was sent: whether the target did the work is not known. `cause` says why. */
export class SentError extends Error {
  constructor(override readonly cause: unknown) {
    super('The request was sent, but no whole answer came.', { cause });
    this.name = 'SentError';
  }
}
