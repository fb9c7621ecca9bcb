import { Button, Group, Select } from '@mantine/core';
import { IconFilePlus } from '@tabler/icons-react';
import type { Rules } from '../../api/types.js';
import { useWords } from '../../words/words.js';
import type { Drafts } from './drafts.js';
import { TRY_WORDS } from './words.js';

/** Which file is edited: by its rules, by its path, or a new one. */
export function FileChoice({
  rules,
  files,
  drafts,
  path,
  choose,
  add,
}: {
  readonly rules: Rules['items'];
  /** All files of the live rule set. */
  readonly files: readonly string[];
  readonly drafts: Drafts;
  readonly path: string;
  readonly choose: (path: string) => void;
  readonly add: () => void;
}) {
  const w = useWords(TRY_WORDS);
  const named = new Map<string, string[]>();
  for (const { name, file } of rules) named.set(file, [...(named.get(file) ?? []), name]);
  const option = (file: string, text: string): { value: string; label: string } => ({
    value: file,
    label: drafts[file] === undefined ? text : `${text} · ${w.edited}`,
  });
  const others = files.filter(
    (file) =>
      !named.has(file) && file.endsWith('.json') && !/(?:^|\/)schema\.json$|\.cases\.json$/.test(file),
  );
  const added = Object.keys(drafts).filter((file) => !files.includes(file));
  return (
    <Group gap="sm" align="flex-end">
      <Select
        aria-label={w.file}
        placeholder={w.chooseFile}
        searchable
        allowDeselect={false}
        maxDropdownHeight={420}
        value={path === '' ? null : path}
        data={[
          ...(added.length > 0
            ? [{ group: w.newFiles, items: added.map((file) => option(file, file)) }]
            : []),
          {
            group: w.rules,
            items: [...named].map(([file, names]) => option(file, `${names.join(', ')} · ${file}`)),
          },
          ...(others.length > 0
            ? [{ group: w.otherFiles, items: others.map((file) => option(file, file)) }]
            : []),
        ]}
        style={{ flex: '1 1 16rem' }}
        onChange={(next) => {
          if (next !== null) choose(next);
        }}
      />
      <Button variant="default" leftSection={<IconFilePlus size={16} aria-hidden />} onClick={add}>
        {w.newFile}
      </Button>
    </Group>
  );
}
