/** An app that the fake platform knows. */
export interface FakeApp {
  /** `cli_` and 16 hex digits, else the SDK does not connect. */
  readonly appId: string;
  readonly appSecret: string;
  readonly tenantKey?: string;
  /** Pushes to the webhook are encrypted with it, and signed. */
  readonly encryptKey?: string;
  /** Stands in every push to the webhook. */
  readonly verificationToken?: string;
  /** Where pushes to the webhook go. */
  readonly webhookUrl?: string;
}
