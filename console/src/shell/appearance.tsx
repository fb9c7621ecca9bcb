import {
  ActionIcon,
  Group,
  SegmentedControl,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { IconMoon, IconSun } from '@tabler/icons-react';
import { useLanguage, useWords } from '../words/words.js';
import { SHELL } from './shell-words.js';

/** The language, and light or dark; both are kept in this browser. */
export function Appearance() {
  const w = useWords(SHELL);
  const { language, choose } = useLanguage();
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme() === 'dark';
  return (
    <Group gap="xs" wrap="nowrap">
      <SegmentedControl
        size="xs"
        aria-label={w.language}
        value={language}
        data={[
          { value: 'zh', label: '中文' },
          { value: 'en', label: 'English' },
        ]}
        onChange={(next) => {
          choose(next);
        }}
      />
      <Tooltip label={dark ? w.light : w.dark}>
        <ActionIcon
          variant="default"
          aria-label={dark ? w.light : w.dark}
          onClick={() => {
            setColorScheme(dark ? 'light' : 'dark');
          }}
        >
          {dark ? <IconSun size={16} /> : <IconMoon size={16} />}
        </ActionIcon>
      </Tooltip>
    </Group>
  );
}
