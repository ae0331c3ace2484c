import { Group, Text } from '@mantine/core';

/** The mark and the name. */
export function Logo() {
  return (
    <Group gap={8} wrap="nowrap">
      <img src="/logo.svg" width={30} height={30} alt="" />
      <Text fw={800} size="lg" lts="-0.02em">Hexhail</Text>
    </Group>
  );
}
