import { resultOf } from './attempt-meaning.js';
import type { DeliveryRow } from './delivery-store.js';
import { makeReady } from './ready-request.js';
import type { AttemptResult, Senders } from './sender.js';

/** One attempt: puts the secrets in place and hands the request to its sender. Rejects only when a sender is at fault. */
export async function sendDelivery(
  { request, actionKey }: Pick<DeliveryRow, 'request' | 'actionKey'>,
  senders: Senders,
  secrets: ReadonlyMap<string, string>,
): Promise<AttemptResult> {
  if (request === null) return resultOf('REQUEST_MISSING', 'the delivery was never rendered');
  const ready = makeReady(request, secrets);
  if ('missing' in ready) {
    return resultOf(
      'SECRET_MISSING',
      `the secret ${ready.missing} is not set: set SECRET_${ready.missing}, then redrive`,
    );
  }
  switch (ready.kind) {
    case 'http':
      return await senders.http.send(ready.request, actionKey, ready.used);
    case 'feishu-bot':
      return await senders.feishuBot.send(ready.request, actionKey, ready.used);
    case 'feishu-message':
      return await senders.feishuMessage.send(ready.request, actionKey, ready.used);
    case 'email':
      if (senders.email === null)
        return resultOf('SMTP_NOT_CONFIGURED', 'no mail server is set: set SMTP_URL, then redrive');
      return await senders.email.send(ready.request, actionKey, ready.used);
  }
}
