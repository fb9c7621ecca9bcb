import { Group, Text } from '@mantine/core';
import { IconMail, IconMessage2, IconRobot, IconWorldUpload } from '@tabler/icons-react';

const ICONS = {
  http: IconWorldUpload,
  email: IconMail,
  'feishu-bot': IconRobot,
  'feishu-message': IconMessage2,
} as const;

const isKnown = (kind: string): kind is keyof typeof ICONS => Object.hasOwn(ICONS, kind);

/** A kind of action as its icon; the word stands beside it wherever this is shown. */
export function KindIcon({ kind, size = 16 }: { readonly kind: string; readonly size?: number }) {
  if (!isKnown(kind)) return null;
  const Icon = ICONS[kind];
  return <Icon size={size} aria-hidden />;
}

/** A kind of action, and how many of it when there are more. */
export function ActionKind({ kind, count = 1 }: { readonly kind: string; readonly count?: number }) {
  return (
    <Group gap={4} wrap="nowrap" display="inline-flex">
      <KindIcon kind={kind} />
      <Text span fz="sm">
        {kind}
        {count > 1 && ` × ${count}`}
      </Text>
    </Group>
  );
}
