import { AppShell, Group, Text } from '@mantine/core';
import { Link, Outlet } from '@tanstack/react-router';
import { Suspense } from 'react';

/** The frame around every page. */
export function Frame() {
  return (
    <AppShell header={{ height: 56 }}>
      <AppShell.Header>
        <Group h="100%" px="md">
          <Text component={Link} to="/" fw={800}>Hexhail</Text>
        </Group>
      </AppShell.Header>
      <AppShell.Main>
        <Suspense>
          <Outlet />
        </Suspense>
      </AppShell.Main>
    </AppShell>
  );
}
