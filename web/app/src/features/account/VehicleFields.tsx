import { Autocomplete, Group, Radio, SimpleGrid, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { useServerConfig } from '../../api/queries';
import { money } from '../../lib/format';
import { colourName, colours, vehicleClassName } from '../../lib/vehicle';
import classes from './account.module.css';

interface FieldProps {
  value?: string;
  onChange: (value: string) => void;
  error?: React.ReactNode;
}

interface Props {
  readonly vehicleClass: FieldProps;
  readonly plate: object;
  readonly make: object;
  readonly model: object;
  readonly colour: object;
}

/** What a driver drives: the class, with what riders pay for it, the plate, and what riders look out for. */
export function VehicleFields({ vehicleClass, plate, make, model, colour }: Props) {
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
      <Stack gap={4} role="group" aria-label={t('vehicleLooksHint')}>
        <SimpleGrid cols={{ base: 2, xs: 3 }} spacing="sm">
          <TextInput label={t('vehicleMake')} placeholder="Hyundai" maxLength={64} autoComplete="off" {...make} />
          <TextInput label={t('vehicleModel')} placeholder="Ioniq 5" maxLength={64} autoComplete="off" {...model} />
          <Autocomplete label={t('vehicleColour')} placeholder={colourName('white')} maxLength={64} data={colours.map(colourName)} {...colour} />
        </SimpleGrid>
        <Text size="xs" c="dimmed" aria-hidden="true">{t('vehicleLooksHint')}</Text>
      </Stack>
    </Stack>
  );
}
