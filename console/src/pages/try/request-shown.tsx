import { Box, Text } from '@mantine/core';
import { JsonText } from '../../parts/texts.js';
import { useWords } from '../../words/words.js';
import { MailShown } from '../deliveries/mail-shown.js';
import { RequestTable } from '../deliveries/request-table.js';
import { TRY_WORDS } from './words.js';

type Json = Readonly<Record<string, unknown>>;

function recordOf(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** A request as it would be sent. Its secrets are names; the HTML of a mail is shown in a closed frame. */
export function RequestShown({ request }: { readonly request: unknown }) {
  const record = recordOf(request);
  if (record?.['kind'] === 'http') return <HttpShown request={record} />;
  if (record?.['kind'] === 'email') return <MailShown request={record} />;
  return <JsonText value={request} height={260} />;
}

function HttpShown({ request }: { readonly request: Json }) {
  const w = useWords(TRY_WORDS);
  const { method, url, headers, body } = request;
  const lines = Object.entries(recordOf(headers) ?? {}).map(([name, value]) => `${name}: ${textOf(value)}`);
  return (
    <Box>
      <RequestTable
        rows={[
          [textOf(method), textOf(url)],
          [w.headers, lines.join('\n')],
        ]}
      />
      {body !== undefined && body !== null && (
        <>
          <Text fz="xs" fw={600} my={4}>
            {w.body}
          </Text>
          <JsonText value={body} height={240} />
        </>
      )}
    </Box>
  );
}
