import { Group, Radio, SimpleGrid, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { useServerConfig } from '../api/queries';
import { money } from '../shell/format';
import { vehicleClassName } from '../shell/vehicle';
import classes from './account.module.css';

interface FieldProps {
  value?: string;
  onChange: (value: string) => void;
  error?: React.ReactNode;
}

/** What a driver drives: the class, with what riders pay for it, and the plate. */
export function VehicleFields({ vehicleClass, plate }: { vehicleClass: FieldProps; plate: object }) {
  const { t } = useTranslation('account');
  const config = useServerConfig();
  const offered = config.data?.vehicle_classes ?? [];
  return (
    <Stack gap="md">
      <Radio.Group label={t('vehicleClass')} withAsterisk value={vehicleClass.value ?? ''} onChange={vehicleClass.onChange} error={vehicleClass.error}>
        {config.isPending ? <Skeleton h={84} mt={4} /> : (
          <SimpleGrid cols={{ base: 1, xs: Math.min(3, offered.length) }} spacing="xs" mt={4} mb={4}>
            {offered.map((c) => (
              <Radio.Card key={c.class} value={c.class} className={classes.choice} p="sm">
                <Stack gap={2}>
                  <Group justify="space-between" wrap="nowrap">
                    <Text fw={600}>{vehicleClassName(c.class)}</Text>
                    <Radio.Indicator size="xs" />
                  </Group>
                  <Text size="sm" c="dimmed">{t('perKm', { price: money({ minor: c.per_km_minor, currency: c.currency }) })}</Text>
                  <Group gap={4}><IconUsers size={14} aria-hidden="true" /><Text size="sm" c="dimmed">{t('seats', { count: c.seats })}</Text></Group>
                </Stack>
              </Radio.Card>
            ))}
          </SimpleGrid>
        )}
      </Radio.Group>
      <TextInput label={t('plate')} description={t('plateHint')} withAsterisk maxLength={16} autoComplete="off" {...plate} />
    </Stack>
  );
}
