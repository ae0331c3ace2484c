import { notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconCar, IconInfoCircle } from '@tabler/icons-react';
import { useMatches } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { useAccount } from '../../api/auth';
import { useSessionEvent } from '../../lib/session';
import { chime, notifySystem } from '../../lib/notices/alerts';
import { ofClosedOffer, ofOffer, ofTrip, ofTripGone, type Notice, type NoticeText } from './notice';

const looks = {
  good: { color: 'lagoon', icon: <IconCar size={18} /> },
  bad: { color: 'orange', icon: <IconAlertTriangle size={18} /> },
  neutral: { color: 'gray', icon: <IconInfoCircle size={18} /> },
} as const;

/** Notifies riders and drivers of each change of their trip and offers, whatever page they are on. */
export function Notices() {
  const { t } = useTranslation();
  const role = useAccount()?.role === 'driver' ? 'driver' : 'rider';

  // Which values a text takes depends on the text; notice.ts pairs them, and its tests look.
  const say = t as (key: `notice.${NoticeText}`, values: Notice['values']) => string;

  // The driver's screen already shows offers as cards: there they only sound.
  const onOffers = useMatches({ select: (matches) => matches.at(-1)?.pathname === '/drive' });

  const tell = (notice: Notice | null, shown = true) => {
    if (!notice) return;
    const message = say(`notice.${notice.text}`, notice.values);
    notifications.hide(notice.subject);
    if (shown) notifications.show({
      id: notice.subject, message, ...looks[notice.tone],
      autoClose: notice.loud ? 7000 : 4000, role: notice.loud ? 'alert' : 'status', withBorder: true,
      closeButtonProps: { 'aria-label': t('close') },
    });
    if (!notice.loud) return;
    chime();
    void notifySystem(message, notice.subject);
  };

  useSessionEvent('offer', (offer) => tell(ofOffer(offer), !onOffers));
  useSessionEvent('offerClosed', (closed) => tell(ofClosedOffer(closed), !onOffers));
  useSessionEvent('trip', ({ trip, change, exchange }) => tell(ofTrip(trip, change, role, exchange)));
  useSessionEvent('tripEnded', ({ trip, change }) => tell(ofTrip(trip, change, role)));
  useSessionEvent('tripGone', ({ trip, why, exchange }) => tell(ofTripGone(trip, why, exchange)));
  return null;
}
