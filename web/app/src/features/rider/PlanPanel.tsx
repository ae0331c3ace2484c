import { ActionIcon, Button, Collapse, Group, NumberInput, Stack, Text, TextInput, Textarea, Title, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAdjustments, IconArrowsUpDown, IconChevronDown, IconChevronUp, IconCurrentLocation, IconMap, IconMapPinFilled, IconUserFilled } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { useServerConfig } from '../../api/queries';
import { canDraw } from '../../lib/map';
import { clip } from '../../lib/trip/text';
import { placeText } from '../../lib/trip/words';
import { addressBytes, isWhole, type End } from './draft';
import { PlaceSearch } from './PlaceSearch';
import { Pickable } from './Pickable';
import { QuotePanel } from './QuotePanel';
import classes from './rider.module.css';
import { Suggestions } from './Suggestions';
import { useAddress } from './useAddress';
import type { Asking } from './useAsk';
import { useHere } from './useHere';
import { useGeocoder, type Plan } from './usePlan';

const noteBytes = 500;

/** Where a ride is planned: both ends, the classes with their prices, and the button. */
export function PlanPanel({ plan, asking }: { plan: Plan; asking: Asking }) {
  const { t } = useTranslation('rider');
  const here = useHere(plan);
  const { draft } = plan;
  const tapping = useGeocoder() === '' && canDraw();
  return (
    <Stack gap={plan.target ? 'md' : 'xs'}>
      {plan.target
        ? <div role="status"><Title order={1} size="h3">{t(tapping ? `plan.tap.${plan.target}` : `plan.where.${plan.target}`)}</Title></div>
        : <VisuallyHidden component="h1">{t('plan.title')}</VisuallyHidden>}
      <Group gap="xs" wrap="nowrap" align="stretch">
        <Stack gap={6} flex={1} miw={0}>
          <EndField end="pickup" plan={plan} />
          <EndField end="dropoff" plan={plan} />
        </Stack>
        <ActionIcon
          className={classes.swap} variant="subtle" color="gray" size={44} aria-label={t('plan.swap')}
          onClick={plan.swap} disabled={!draft.pickup && !draft.dropoff}
        >
          <IconArrowsUpDown size={18} />
        </ActionIcon>
      </Group>
      {plan.target === 'pickup' && here.state !== 'unsupported' && (
        <Button
          variant="light" leftSection={<IconCurrentLocation size={18} />} loading={here.state === 'asking'} onClick={here.locate}
        >
          {t('plan.here')}
        </Button>
      )}
      {plan.typing && canDraw() && (
        <Button variant="subtle" leftSection={<IconMap size={18} />} hiddenFrom="sm" onClick={() => plan.setTyping(false)}>{t('plan.choose')}</Button>
      )}
      {here.problem && <Text size="sm" className={classes.warn} role="status">{t(`plan.${here.problem}`, { city: here.city })}</Text>}
      {isWhole(draft)
        ? <><Details plan={plan} /><QuotePanel draft={draft} plan={plan} asking={asking} /></>
        : <Suggestions plan={plan} />}
    </Stack>
  );
}

/** One end of the ride: its text, and a way to change it on the map, by search or by typing. */
function EndField({ end, plan }: { end: End; plan: Plan }) {
  const { t } = useTranslation(['rider', 'trips']);
  const { t: words } = useTranslation('trips');
  const geocoder = useGeocoder();
  useAddress(plan, end);
  const place = plan.draft[end];
  const aimed = plan.target === end;
  const label = t(`trips:place.${end}`);
  const icon = end === 'pickup' ? <IconUserFilled size={16} /> : <IconMapPinFilled size={16} />;
  if (aimed && geocoder !== '') {
    return (
      <PlaceSearch
        geocoder={geocoder} label={label} icon={icon} near={plan.draft.pickup?.point} focused={plan.aimed}
        onType={() => plan.setTyping(true)} onFound={(p) => plan.choose(p, end)}
      />
    );
  }
  return (
    <Pickable
      label={label} icon={icon} aimed={aimed} compact={!plan.target}
      text={place ? placeText(words, place.point, place.address) : null}
      onClick={() => plan.aim(aimed && place ? null : end)}
    />
  );
}

/** What the driver should know, folded away until wanted. */
function Details({ plan }: { plan: Plan }) {
  const { t } = useTranslation('rider');
  const { draft } = plan;
  const seats = Math.max(1, ...(useServerConfig().data?.vehicle_classes ?? []).map((c) => c.seats));
  const [open, { toggle }] = useDisclosure(draft.note !== '');
  const about = [t('plan.people', { count: draft.passengers }), draft.note.trim()].filter(Boolean).join(' · ');
  return (
    <div>
      <Button
        variant="default" mih={44} fullWidth justify="space-between" leftSection={<IconAdjustments size={18} />} className={classes.shrinks}
        rightSection={open ? <IconChevronUp size={18} /> : <IconChevronDown size={18} />} onClick={toggle} aria-expanded={open} aria-controls="ride-details"
      >
        {about}
      </Button>
      <Collapse in={open} id="ride-details">
        <Stack gap="sm" pt="sm">
          <NumberInput
            label={t('plan.passengers')} min={1} max={seats} allowDecimal={false} clampBehavior="strict" value={draft.passengers}
            onChange={(n) => plan.set({ passengers: typeof n === 'number' ? Math.max(1, n) : 1 })}
          />
          {draft.pickup && (
            <TextInput
              label={t('plan.address')} placeholder={t('plan.addressExample')} value={draft.pickup.address}
              onChange={(e) => draft.pickup && plan.set({ pickup: { ...draft.pickup, address: clip(e.currentTarget.value, addressBytes) } })}
            />
          )}
          <Textarea
            label={t('plan.note')} placeholder={t('plan.noteExample')} autosize minRows={1} maxRows={4} value={draft.note}
            onChange={(e) => plan.set({ note: clip(e.currentTarget.value, noteBytes) })}
          />
        </Stack>
      </Collapse>
    </div>
  );
}
