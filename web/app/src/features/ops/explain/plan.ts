import type { TFunction } from 'i18next';

import type { Schemas } from '../../../api/http';
import { number } from '../../../lib/format';
import { took } from '../table/times';

type Wave = Schemas['WaveView'];

/** Below this many seconds a difference is not worth a sentence. */
const worthSaying = 1;

const whys = ['no_driver', 'too_far', 'needed'] as const;

/** Why a zone's plan chose as it did, in a few sentences; empty for a wave that the trip planned by itself. */
export function planText(wave: Pick<Wave, 'windows' | 'why' | 'decision' | 'offered'>, t: TFunction<'ops'>): string {
  const { decision: plan, windows } = wave;
  if (!plan) return windows > 0 && wave.offered === 0 ? nobody(windows, wave.why, t) : '';
  const drivers = t('explain.plan.drivers', { count: plan.columns, number: number(plan.columns) });
  const others = plan.rows - 1;
  const sentences = [others > 0 ? t('explain.plan.together', { count: others, number: number(others), drivers }) : t('explain.plan.alone', { drivers })];
  if (windows > 1) sentences.push(t('explain.plan.waited', { count: windows - 1, number: number(windows - 1) }));
  const next = plan.next ?? [];
  const needed = next.find((a) => a.needed && a.more_s <= -worthSaying);
  if (needed) sentences.push(t('explain.plan.needed', { name: needed.driver_name || needed.driver_id, less: took(-needed.more_s * 1000) }));
  const second = next.find((a) => !a.needed && a.more_s >= worthSaying);
  if (second) sentences.push(t('explain.plan.next', { name: second.driver_name || second.driver_id, more: took(second.more_s * 1000) }));
  if (plan.scarcity_s >= worthSaying) sentences.push(t('explain.plan.scarce', { more: took(plan.scarcity_s * 1000) }));
  return sentences.join(' ');
}

function nobody(windows: number, why: string, t: TFunction<'ops'>): string {
  const word = whys.find((w) => w === why) ?? 'other';
  return t('explain.plan.nobody', { count: windows, number: number(windows), why: t(`explain.plan.why.${word}`) });
}
