import { Box, Code, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { JsonText } from '../../parts/texts.js';
import { useWords } from '../../words/words.js';
import { mailDocument } from './mail-document.js';
import { RequestTable } from './request-table.js';
import { DELIVERIES } from './words.js';
import './deliveries.css';

/** The nonce of the page, without which the browser ignores the styles of a mail. */
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';

const listed = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : '');

/** A mail: to whom, and what it says. Its HTML never gets out of a closed frame. */
export function MailShown({ request }: { readonly request: Readonly<Record<string, unknown>> }) {
  const w = useWords(DELIVERIES);
  const text = typeof request.text === 'string' ? request.text : null;
  const html = typeof request.html === 'string' ? request.html : null;
  const [as, setAs] = useState(html === null ? 'text' : 'html');
  const ways = [
    ...(html === null ? [] : [{ value: 'html', label: w.mailHtml }]),
    ...(text === null ? [] : [{ value: 'text', label: w.mailText }]),
    ...(html === null ? [] : [{ value: 'source', label: w.mailSource }]),
  ];
  return (
    <Stack gap="sm">
      <RequestTable
        rows={[
          [w.to, listed(request.to)],
          [w.cc, listed(request.cc)],
          [w.bcc, listed(request.bcc)],
          [w.replyTo, listed(request.replyTo)],
          [w.subject, typeof request.subject === 'string' ? request.subject : ''],
        ]}
      />
      {ways.length > 1 && (
        <Group>
          <SegmentedControl size="xs" aria-label={w.mailShown} data={ways} value={as} onChange={setAs} />
        </Group>
      )}
      {as === 'html' && html !== null ? (
        <Box>
          <iframe
            className="mail"
            title={w.mailFrame}
            sandbox=""
            referrerPolicy="no-referrer"
            srcDoc={mailDocument(html, nonce)}
          />
          <Text size="xs" c="dimmed">
            {w.mailAbout}
          </Text>
        </Box>
      ) : as === 'source' ? (
        <JsonText value={html} />
      ) : (
        <Code block className="mail-text" tabIndex={0}>
          {text ?? ''}
        </Code>
      )}
    </Stack>
  );
}
