import { Box, Button, Card, Group, SimpleGrid, Stack, Text, Title, type BoxProps } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCar, IconHandFinger, IconMap2 } from '@tabler/icons-react';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Role } from '../../api/http';
import { useDemonstration } from '../../api/queries';
import { homeOf, visit } from '../../api/auth';
import { number } from '../../lib/format';
import { problemText } from '../../lib/problemText';

const isRole = (role: string): role is Role => Object.hasOwn(icons, role);

const icons = { rider: IconHandFinger, driver: IconCar, operator: IconMap2 } as const;

interface Props extends BoxProps {
  /** Where to go after; by default the role's home. */
  next?: string | undefined;
}

/** In a demonstration: one step into a role. Renders nothing elsewhere. */
export function DemoRoles({ next, ...rest }: Props) {
  const { t } = useTranslation('account');
  const router = useRouter();
  const demo = useDemonstration().data;
  const [busy, setBusy] = useState<Role | null>(null);
  const roles = (demo?.roles ?? []).filter(isRole);
  if (!demo || roles.length === 0) return null;

  const be = async (role: Role) => {
    setBusy(role);
    try {
      const account = await visit(role);
      await router.navigate({ to: next ?? homeOf(account.role), replace: true });
    } catch (e) {
      notifications.show({ message: problemText(e), color: 'red', role: 'alert' });
    } finally {
      setBusy(null);
    }
  };

  return (
    <Box component="section" aria-labelledby="demo-title" {...rest}>
      <Title id="demo-title" order={2} size="h3">{t('demo.title', { city: demo.city.name })}</Title>
      <Text c="dimmed" mt={4}>{t('demo.text', { drivers: number(demo.drivers), speed: number(demo.speed, 1) })}</Text>
      <SimpleGrid cols={{ base: 1, sm: Math.min(3, roles.length) }} spacing="md" mt="md">
        {roles.map((role) => {
          const Icon = icons[role];
          return (
            <Card key={role} padding="md">
              <Stack h="100%" justify="space-between" gap="sm">
                <Stack gap={4}>
                  <Group gap="xs" wrap="nowrap"><Icon size={22} aria-hidden="true" /><Text fw={700}>{t(`demo.${role}`)}</Text></Group>
                  <Text size="sm" c="dimmed">{t(`demo.${role}Text`)}</Text>
                </Stack>
                <Button variant="light" loading={busy === role} disabled={busy !== null} onClick={() => void be(role)}>{t(`demo.${role}Act`)}</Button>
              </Stack>
            </Card>
          );
        })}
      </SimpleGrid>
    </Box>
  );
}
