/** The REST APIs that the fake has: each has its own limit and its own faults. */
export type Api = 'token' | 'process' | 'user' | 'message' | 'bot';

/** What one endpoint discovery answers instead of an address. */
export type EndpointFault =
  /** `empty`: `data: {}`, which the SDK takes for final; `null`: `data: null`, which it tries again. */
  | { readonly code: number; readonly data: 'empty' | 'null'; readonly msg?: string }
  /** An HTTP status with a body of the right shape and no address. */
  | { readonly status: number }
  /** No answer while the fake runs. */
  | 'hang'
  | 'not-json';

/** What one REST call answers instead. */
export type ApiFault =
  | {
      readonly status: number;
      /** A text goes out as it is, anything else as JSON. */
      readonly body: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** No answer while the fake runs. */
  | 'hang';

/** What the fake does wrong, changed while it runs. A queue is used up from its beginning, one entry a call. */
export class Faults {
  readonly endpoint: EndpointFault[] = [];
  /** `refuse`: answered with the platform's handshake headers; `hang`: not answered. */
  readonly upgrade: ('refuse' | 'hang')[] = [];
  /** Pings are not answered. */
  silent = false;
  readonly api = new Map<Api, ApiFault[]>();
  /** Connections that an app may have. */
  connectionLimit = 50;
}
