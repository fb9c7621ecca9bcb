import { Group, Text } from '@mantine/core';
import { IconMail, IconMessage, IconRobot, IconWorld } from '@tabler/icons-react';
import type { ComponentType } from 'react';

const ICONS: Readonly<
  Record<string, ComponentType<{ readonly size?: number; readonly 'aria-hidden': true }>>
> = {
  http: IconWorld,
  email: IconMail,
  'feishu-bot': IconRobot,
  'feishu-message': IconMessage,
};

/** A target as the API names it, with a picture of its kind. */
export function TargetName({ target, kind }: { readonly target: string; readonly kind: string }) {
  const Icon = ICONS[kind] ?? IconWorld;
  return (
    <Group gap={6} wrap="nowrap" align="center">
      <Icon size={16} aria-hidden />
      <Text span inherit fw={500} style={{ overflowWrap: 'anywhere' }} lineClamp={3}>
        {target}
      </Text>
    </Group>
  );
}
