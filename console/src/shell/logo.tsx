import { Group, Text } from '@mantine/core';

export function Logo() {
  return (
    <Group gap={8} wrap="nowrap">
      <img src={new URL('icon.svg', document.baseURI).href} alt="" width={26} height={26} />
      <Text fw={700} fz="lg" span>
        Aftersign
      </Text>
    </Group>
  );
}
