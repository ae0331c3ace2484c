import { useTranslation } from 'react-i18next';

import type { Schemas } from '../../../api/http';
import { Tag } from '../table/Badges';

type State = Schemas['OfferDetail']['state'];

const tones = { open: 'search', accepted: 'live', won: 'good', withdrawn: 'quiet', expired: 'bad', declined: 'bad' } as const;

/** How an offer stands or ended. */
export function Outcome({ state }: { state: string }) {
  const { t } = useTranslation('ops');
  if (!isState(state)) return <>{state || '–'}</>;
  return <Tag tone={tones[state]}>{t(`explain.outcome.${state}`)}</Tag>;
}

function isState(state: string): state is State {
  return Object.hasOwn(tones, state);
}
