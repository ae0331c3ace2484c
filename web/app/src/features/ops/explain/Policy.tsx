import { SimpleGrid, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import type { Schemas } from '../../../api/http';
import { number } from '../../../lib/format';
import { took } from '../table/times';

/** The rules that held when the trip was requested. */
export function Policy({ policy: p }: { policy: Schemas['PolicyView'] }) {
  const { t } = useTranslation('ops');
  const facts: [string, string][] = [
    [t('explain.policy.kind'), t(`explain.policy.${p.kind}`)],
    [t('explain.policy.award'), p.award === 'first' ? t('explain.policy.first') : t('explain.policy.best', { window: took(p.award_window_ms) })],
    [t('explain.policy.cap'), number(p.kind === 'broadcast' ? p.cap : 1)],
    [t('explain.policy.hold'), t(p.exclusive ? 'explain.policy.holdOne' : 'explain.policy.holdSeveral')],
    [t('explain.policy.place'), t(p.place === 'door' ? 'explain.policy.placeDoor' : 'explain.policy.placeCell')],
    [t('explain.policy.longest'), p.max_eta_s > 0 ? took(p.max_eta_s * 1000) : t('explain.policy.longestAny')],
    [t('explain.policy.rings'), t('explain.policy.ringsValue', { start: p.ring_start, step: p.ring_step, max: p.ring_max })],
    [t('explain.policy.every'), took(p.wave_every_ms)],
    [t('explain.policy.ttl'), took(p.offer_ttl_ms)],
    [t('explain.policy.asks'), t('explain.policy.asksValue', { count: p.asks_per_driver })],
    [t('explain.policy.search'), took(p.search_for_ms)],
  ];
  return (
    <SimpleGrid component="dl" cols={2} spacing="sm" verticalSpacing={6} m={0}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <Text component="dt" size="xs" c="dimmed">{name}</Text>
          <Text component="dd" size="sm" m={0}>{value}</Text>
        </div>
      ))}
    </SimpleGrid>
  );
}
