import { CloseButton, Group, Text } from '@mantine/core';
import { IconServerOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useFeed } from './hooks';
import classes from './live.module.css';
import { gone, heardAt, missing, namesOf, type Nodes } from './nodes';
import { time } from './text';

/** Says which nodes of a cluster do not answer, what that means for what is shown, and which are gone. */
export function NodesBanner() {
  const { connection, nodes } = useFeed();
  const [dismissed, setDismissed] = useState('');
  const current = connection.status === 'connected';
  const away = current ? missing(nodes) : [];
  const left = current ? gone(nodes).filter((node) => !dismissed.includes(keyOf(node))) : [];
  const dismiss = () => setDismissed((before) => left.reduce((all, node) => `${all} ${keyOf(node)}`, before));
  return (
    <>
      {/* The lines stay when they are empty, so that what comes is read out, once. */}
      <Line nodes={away} text="missing" />
      <Line nodes={left} text="gone" onClose={dismiss} />
    </>
  );
}

const keyOf = ({ name, heard_at }: Nodes[number]): string => `${name}@${heard_at ?? ''}`;

function Line({ nodes, text, onClose }: { nodes: Nodes; text: 'missing' | 'gone'; onClose?: () => void }) {
  const { t } = useTranslation('ops');
  const at = heardAt(nodes);
  const count = nodes.length;
  return (
    <Group className={count > 0 ? classes.banner : undefined} gap="sm" wrap="nowrap" px={count > 0 ? 'md' : 0} py={count > 0 ? 6 : 0}>
      {count > 0 && <IconServerOff size={18} aria-hidden="true" className={classes.icon} />}
      <Text size="sm" flex={1} role="status">
        {count > 0 && `${t(`nodes.${text}`, { count, names: namesOf(nodes) })} ${t(at === null ? `nodes.${text}Never` : `nodes.${text}Since`, { count, time: at === null ? '' : time(at) })}`}
      </Text>
      {count > 0 && onClose && <CloseButton size="sm" variant="transparent" c="inherit" aria-label={t('nodes.dismiss')} onClick={onClose} />}
    </Group>
  );
}
