import { Badge, Button, Group } from '@mantine/core';
import { IconSteeringWheel } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { useAccount } from '../../api/auth';
import { vehicleClassName, vehicleText } from '../../lib/vehicle';

/** The car in which a driver is on duty, with the way to change it. */
export function Vehicle() {
  const { t } = useTranslation('driver');
  const vehicle = useAccount()?.vehicle;
  if (!vehicle) return null;
  const looks = vehicleText(vehicle);
  return (
    <Group gap={8}>
      <Badge variant="light" size="lg" tt="none" leftSection={<IconSteeringWheel size={14} aria-hidden="true" />}>{vehicleClassName(vehicle.class)}</Badge>
      <Badge variant="outline" color="gray" size="lg" tt="none">{vehicle.plate}</Badge>
      {looks && <Badge variant="outline" color="gray" size="lg" tt="none">{looks}</Badge>}
      <Button component={Link} to="/profile" variant="subtle" size="sm" mih={44}>{t('duty.vehicle')}</Button>
    </Group>
  );
}
