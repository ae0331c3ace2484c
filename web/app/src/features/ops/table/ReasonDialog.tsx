import { Alert, Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { opsProblemText } from './problem';

/** The API's limit. */
const longest = 200;

interface Props<T> {
  readonly title: string;
  /** What will happen, and to whom. */
  readonly text: ReactNode;
  /** The button that does it. */
  readonly confirm: string;
  readonly danger?: boolean;
  readonly act: (reason: string) => Promise<T>;
  readonly onDone: (result: T) => void;
  readonly onClose: () => void;
  /** Says what becomes of the reason, and how many characters are left. */
  readonly hint?: (left: number) => string;
  /** Called when the dialog has gone. */
  readonly onExited?: () => void;
  /** Mounted closed, it can leave with its transition. */
  readonly opened: boolean;
}

/** Asks why, does it, and says what went wrong. Everything that operators do needs a reason. */
export function ReasonDialog<T>(p: Props<T>) {
  const { t } = useTranslation('ops');
  return (
    <Modal opened={p.opened} onClose={p.onClose} title={p.title} closeButtonProps={{ 'aria-label': t('trips.dialog.close') }}
      {...(p.onExited ? { onExitTransitionEnd: p.onExited } : {})}>
      <Form {...p} />
    </Modal>
  );
}

/** Mounted again each time the dialog opens, so that it starts without a reason. */
function Form<T>(p: Props<T>) {
  const { t } = useTranslation('ops');
  const [reason, setReason] = useState('');
  const [missing, setMissing] = useState(false);
  const { mutate, isPending, error } = useMutation({ mutationFn: p.act, onSuccess: p.onDone });
  const submit = (e: React.SubmitEvent) => {
    e.preventDefault();
    if (reason.trim() === '') setMissing(true);
    else mutate(reason.trim());
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <Text size="sm" component="div">{p.text}</Text>
        <Textarea label={t('trips.dialog.reason')} description={p.hint?.(longest - reason.length) ?? t('trips.dialog.reasonHint', { left: longest - reason.length })} required autosize minRows={2}
          maxLength={longest} value={reason} data-autofocus
          error={missing && reason.trim() === '' ? t('trips.dialog.reasonMissing') : null}
          onChange={(e) => setReason(e.currentTarget.value)} />
        {error && <Alert color="red" role="alert" icon={<IconAlertTriangle size={18} />}>{opsProblemText(error)}</Alert>}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={p.onClose}>{t('trips.dialog.back')}</Button>
          <Button type="submit" {...(p.danger ? { color: 'red.8' } : {})} loading={isPending}>{p.confirm}</Button>
        </Group>
      </Stack>
    </form>
  );
}
