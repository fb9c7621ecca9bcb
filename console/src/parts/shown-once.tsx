import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { SHOWN } from '../words/shown-words.js';
import { useWords } from '../words/words.js';
import { Copy } from './texts.js';

/** A secret that is shown this once: a token, a one-time password. It closes with its button alone, not by a slip. */
export function ShownOnce({
  title,
  label,
  secret,
  warning,
  about,
  close,
}: {
  readonly title: string;
  readonly label: string;
  readonly secret: string;
  /** That it cannot be seen again. */
  readonly warning: string;
  /** What to do with it. */
  readonly about?: ReactNode;
  readonly close: () => void;
}) {
  const w = useWords(SHOWN);
  return (
    <Modal
      opened
      centered
      title={title}
      onClose={close}
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
    >
      <Stack>
        <Alert color="orange" icon={<IconAlertTriangle />}>
          {warning}
        </Alert>
        <TextInput
          label={label}
          value={secret}
          readOnly
          data-autofocus
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          rightSection={<Copy text={secret} />}
          onFocus={(focus) => {
            focus.currentTarget.select();
          }}
        />
        {about !== undefined && (
          <Text size="sm" component="div">
            {about}
          </Text>
        )}
        <Group justify="flex-end">
          <Button onClick={close}>{w.close}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
