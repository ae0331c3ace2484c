import { Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { canDraw } from '../../lib/map';
import classes from './rider.module.css';

/** A field that is filled on the map: pressing it aims the next tap at it. */
export function Pickable({ label, text, icon, aimed, compact, onClick }: {
  label: string;
  text: string | null;
  icon: ReactNode;
  aimed: boolean;
  /** Leaves the label to those who cannot see the icon. */
  compact: boolean;
  onClick: () => void;
}) {
  const { t } = useTranslation('rider');
  return (
    <UnstyledButton className={classes.pickable} onClick={onClick} aria-pressed={aimed}>
      <span className={classes.pickableIcon} aria-hidden>{icon}</span>
      <span className={classes.pickableText}>
        {compact
          ? <VisuallyHidden>{label}: </VisuallyHidden>
          : <Text span size="xs" c="dimmed" display="block">{label}</Text>}
        <Text span fw={text === null ? 400 : 600} c={text === null ? 'dimmed' : ''} truncate display="block">{text ?? t(canDraw() ? 'plan.choose' : 'plan.missing')}</Text>
      </span>
    </UnstyledButton>
  );
}
