import { Card, Stack, Text, Title } from '@mantine/core';
import type { DeliveryDetail } from '../../api/types.js';
import { shownDuration } from '../../parts/moment.js';
import { JsonText } from '../../parts/texts.js';
import { useWords } from '../../words/words.js';
import { MailShown } from './mail-shown.js';
import { RequestTable } from './request-table.js';
import { DELIVERIES } from './words.js';

type Request = Readonly<Record<string, unknown>>;

/** What is sent, as its kind wants to be read. */
export function RequestShown({ delivery }: { readonly delivery: DeliveryDetail }) {
  const w = useWords(DELIVERIES);
  const { request, masked } = delivery;
  return (
    <Card withBorder>
      <Title order={2} fz="h4" mb="sm">
        {w.request}
      </Title>
      {request === null ? (
        <Text size="sm" c="dimmed">
          {masked ? w.maskedRequest : w.noRequest}
        </Text>
      ) : (
        <Stack gap="sm">
          {request.kind === 'email' ? (
            <MailShown request={request} />
          ) : request.kind === 'http' ? (
            <HttpShown request={request} />
          ) : (
            <FeishuShown request={request} />
          )}
          <RequestTable rows={[[w.retry, retryWords(request.retry, w)]]} />
          {JSON.stringify(request).includes('{{ secrets.') && (
            <Text size="xs" c="dimmed">
              {w.secretsAbout}
            </Text>
          )}
        </Stack>
      )}
    </Card>
  );
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function HttpShown({ request }: { readonly request: Request }) {
  const w = useWords(DELIVERIES);
  const { method, url, headers, body, timeoutMs, sign } = request;
  const lines = Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${String(value)}`);
  return (
    <Stack gap="sm">
      <RequestTable
        rows={[
          [w.method, textOf(method)],
          [w.url, textOf(url)],
          [w.headers, lines.length === 0 ? w.noHeaders : lines.join('\n')],
          [w.timeout, typeof timeoutMs === 'number' ? shownDuration(timeoutMs) : ''],
          [w.signed, textOf(sign)],
        ]}
      />
      <Title order={3} fz="sm">
        {w.body}
      </Title>
      {body === undefined || body === null ? (
        <Text size="sm" c="dimmed">
          {w.noBody}
        </Text>
      ) : (
        <JsonText value={pretty(body)} />
      )}
    </Stack>
  );
}

function FeishuShown({ request }: { readonly request: Request }) {
  const w = useWords(DELIVERIES);
  const { url, signSecret, to, text, card } = request;
  const receiver = typeof to === 'object' && to !== null ? Object.values(to).map(String).join(' ') : '';
  return (
    <Stack gap="sm">
      <RequestTable
        rows={[
          [w.url, textOf(url)],
          [w.receiver, receiver],
          [w.signed, textOf(signSecret)],
        ]}
      />
      <Title order={3} fz="sm">
        {typeof text === 'string' ? w.message : w.card}
      </Title>
      <JsonText value={typeof text === 'string' ? text : card} />
    </Stack>
  );
}

/** A body that is JSON in a text is read as that; any other text stays as it is. */
function pretty(body: unknown): unknown {
  if (typeof body !== 'string' || !/^\s*[[{]/.test(body)) return body;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}

/** The retry schedule in words: a list of delays, or growing ones for a time. */
function retryWords(retry: unknown, w: typeof DELIVERIES.en): string {
  if (Array.isArray(retry))
    return retry.length === 0 ? w.retryNone : retry.map((ms) => shownDuration(Number(ms))).join(' → ');
  if (typeof retry !== 'object' || retry === null) return w.retryDefault;
  const { over, max } = retry as { readonly over?: unknown; readonly max?: unknown };
  const time = typeof over === 'number' ? over : 72 * 3_600_000;
  return w.retryOver(shownDuration(time), typeof max === 'number' ? max : null);
}
