import { Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { isRulePath, type Template, TEMPLATES, templateText } from './templates.js';
import { TRY_WORDS } from './words.js';

/** Begins a file that is not there yet, from a template. */
export function NewFile({
  taken,
  begin,
  close,
}: {
  /** Paths of live files. */
  readonly taken: readonly string[];
  readonly begin: (path: string, text: string) => void;
  readonly close: () => void;
}) {
  const w = useWords(TRY_WORDS);
  const shown = useWords(SHOWN);
  const [path, setPath] = useState('corehr/my-rule.rule.json');
  const [template, setTemplate] = useState<Template>('http');
  const problem = !isRulePath(path) ? w.pathWrong : taken.includes(path) ? w.pathTaken : null;
  const names = { http: w.templateHttp, email: w.templateEmail, escalation: w.templateEscalation } as const;
  return (
    <Modal
      opened
      onClose={close}
      title={w.newTitle}
      centered
      closeButtonProps={{ 'aria-label': shown.close }}
    >
      <form
        onSubmit={(submit) => {
          submit.preventDefault();
          if (problem === null) begin(path, templateText(template, path));
        }}
      >
        <Stack>
          <TextInput
            label={w.path}
            description={w.pathAbout}
            value={path}
            error={problem}
            maxLength={300}
            data-autofocus
            onChange={(change) => setPath(change.currentTarget.value.trim())}
          />
          <Select
            label={w.template}
            data={TEMPLATES.map((one) => ({ value: one, label: names[one] }))}
            value={template}
            allowDeselect={false}
            onChange={(next) => setTemplate(TEMPLATES.find((one) => one === next) ?? 'http')}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {shown.cancel}
            </Button>
            <Button type="submit" disabled={problem !== null}>
              {w.begin}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
