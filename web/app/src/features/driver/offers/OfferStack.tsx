import type { Client, OpenOffer } from '@hexhail/client';
import { ActionIcon, Group, Stack, Text, Title, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useRef, useState, type PointerEvent } from 'react';
import { useTranslation } from 'react-i18next';

import type { PositionSource } from '../../../lib/map';
import { useServerNow } from '../../../lib/clock';
import { duration, money, number } from '../../../lib/format';
import classes from '../driver.module.css';
import { OfferCard } from './OfferCard';
import { secondsUntil } from './offers';
import type { Deck } from './useDeck';

/** How far a finger goes before it turns to another offer, in pixels. */
const swipePx = 56;

/** The offers that wait for an answer: one to decide on, the next one peeking out, and how many there are. */
export function OfferStack({ session, deck, positions }: { session: Client; deck: Deck; positions: PositionSource }) {
  const { t } = useTranslation('driver');
  const { offers, at, current, turn } = deck;
  const [swiped, swipe] = useSwipe(turn);
  // Offers do not say how long they last in all; what was left when one was first heard of is near enough.
  const [lasting] = useState(() => new Map<string, number>());
  for (const o of offers) if (!lasting.has(o.id)) lasting.set(o.id, Math.max(1, secondsUntil(o.expires_at, session.serverNow())));
  for (const id of lasting.keys()) if (!offers.some((o) => o.id === id)) lasting.delete(id);
  if (!current) return null;
  const next = offers.length > 1 ? offers[(at + 1) % offers.length] : undefined;
  return (
    <Stack gap="sm" className={classes.touch}>
      <Group justify="space-between" wrap="nowrap" mih={44}>
        <Title order={2} size="h3">{t('offers.title', { count: offers.length })}</Title>
        {next && <Turner at={at} of={offers.length} turn={turn} />}
      </Group>
      <VisuallyHidden role="status">
        {deck.by === 'driver' && t('offers.nth', { n: at + 1, of: offers.length, fare: money(current.fare), eta: duration(current.pickup_eta_s) })}
      </VisuallyHidden>
      <div>
        <div className={classes.swipe} {...swipe} style={swiped === 0 ? undefined : { transform: `translateX(${swiped}px)`, transition: 'none' }}>
          <OfferCard key={current.id} session={session} offer={current} positions={positions} lastsS={lasting.get(current.id) ?? 1} turn={turn} calm={deck.by === 'end'} />
        </div>
        {next && <Peek offer={next} session={session} more={offers.length - 2} onShow={() => turn(1)} />}
      </div>
    </Stack>
  );
}

function Turner({ at, of, turn }: { at: number; of: number; turn: Deck['turn'] }) {
  const { t } = useTranslation('driver');
  return (
    <Group gap={4} wrap="nowrap">
      <ActionIcon size={44} variant="default" radius="xl" onClick={() => turn(-1)} aria-label={t('offers.previous')} aria-keyshortcuts="ArrowLeft"><IconChevronLeft size={20} /></ActionIcon>
      <Text size="sm" className={classes.digits} miw={44} ta="center">{t('offers.of', { n: number(at + 1), of: number(of) })}</Text>
      <ActionIcon size={44} variant="default" radius="xl" onClick={() => turn(1)} aria-label={t('offers.next')} aria-keyshortcuts="ArrowRight"><IconChevronRight size={20} /></ActionIcon>
    </Group>
  );
}

/** The next offer, as far as it shows below the one in front. */
function Peek({ offer, session, more, onShow }: { offer: OpenOffer; session: Client; more: number; onShow: () => void }) {
  const { t } = useTranslation('driver');
  const now = useServerNow(session, 250);
  const left = Math.ceil(secondsUntil(offer.award_at ?? offer.expires_at, now));
  return (
    <UnstyledButton className={classes.peek} onClick={onShow}>
      <Text span size="sm" truncate>
        {t('offers.peek', { fare: money(offer.fare), eta: duration(offer.pickup_eta_s) })}{more > 0 && ` · ${t('offers.more', { count: more, n: number(more) })}`}
      </Text>
      <Text span size="sm" c="dimmed" className={classes.digits} aria-hidden="true">{duration(left)}</Text>
    </UnstyledButton>
  );
}

/** Turns with a finger that goes sideways. Returns how far the card is to follow it, in pixels. */
function useSwipe(turn: Deck['turn']) {
  const begun = useRef<{ x: number; y: number } | null>(null);
  const [by, setBy] = useState(0);
  const end = () => {
    begun.current = null;
    setBy(0);
  };
  return [by, {
    onPointerDown: (e: PointerEvent) => {
      if (e.pointerType !== 'mouse') begun.current = { x: e.clientX, y: e.clientY };
    },
    onPointerMove: (e: PointerEvent) => {
      if (!begun.current) return;
      const [dx, dy] = [e.clientX - begun.current.x, e.clientY - begun.current.y];
      setBy(Math.abs(dx) > 8 && Math.abs(dx) > Math.abs(dy) ? dx : 0);
    },
    onPointerUp: () => {
      if (Math.abs(by) > swipePx) turn(by < 0 ? 1 : -1);
      end();
    },
    onPointerCancel: end,
  }] as const;
}
