import { Badge, VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { waitingCount } from '../../api/queries';
import { number } from '../../lib/format';

/** How many drivers wait for approval, beside the link that leads to them. Nothing while none does. */
export function WaitingDrivers() {
  const { t } = useTranslation();
  const { data } = useQuery(waitingCount);
  if (!data || data.count === 0) return null;
  const { count, more } = data;
  const shown = more ? `${number(count)}+` : number(count);
  return (
    <Badge size="sm" radius="xl" color="orange.9" variant="filled" px={6}>
      <span aria-hidden="true">{shown}</span>
      <VisuallyHidden>{t('nav.waiting', { count, number: shown })}</VisuallyHidden>
    </Badge>
  );
}
