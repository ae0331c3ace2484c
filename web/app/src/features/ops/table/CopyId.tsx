import { ActionIcon, Code, CopyButton, Group, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import classes from './PersonLink.module.css';

/** The end of an id: its beginning is a time, and alike for all of the same minutes. */
export const shortId = (id: string): string => (id.length > 10 ? `…${id.slice(-8)}` : id);

/** A short id that leads to its page, with a button that copies the whole. */
export function CopyId({ id, trip, person }: { id: string; trip?: boolean; person?: boolean }) {
  const { t } = useTranslation('ops');
  const text = <Code fz="xs" c="inherit">{shortId(id)}</Code>;
  return (
    <Group gap={2} wrap="nowrap" flex="none">
      {trip && <Link to="/ops/trips/$id" params={{ id }} title={id} className={classes.id}>{text}</Link>}
      {person && <Link to="/ops/people/$id" params={{ id }} title={id} className={classes.id}>{text}</Link>}
      {!trip && !person && <span title={id}>{text}</span>}
      <CopyButton value={id}>
        {({ copied, copy }) => (
          <Tooltip label={t(copied ? 'trips.list.copied' : 'trips.list.copy')} withArrow>
            <ActionIcon variant="subtle" color="gray" size="sm" onClick={copy} aria-label={t(copied ? 'trips.list.copied' : 'trips.list.copy')}>
              {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}
