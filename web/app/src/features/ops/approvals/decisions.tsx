import { ActionIcon, Button, Group } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconCheck, IconX } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { call, type Schemas } from '../../../api/http';
import { accountQuery, waitingCount } from '../../../api/queries';
import { http } from '../../../api/auth';
import { fullName } from '../table/PersonLink';
import { opsProblemText } from '../table/problem';
import { ReasonDialog } from '../table/ReasonDialog';
import { replaceInLists } from '../table/useList';

type Person = Schemas['AdminAccountView'];
export type Decision = 'approve' | 'refuse';
export type Decide = (decision: Decision, person: Person) => void;

/** What can be decided about a driver in the current state; nothing about other people. */
export function possible({ account }: Person): readonly Decision[] {
  switch (account.approval?.state) {
    case 'pending':
      return ['approve', 'refuse'];
    case 'approved':
      return ['refuse'];
    case 'refused':
      return ['approve'];
    default:
      return [];
  }
}

/** Approves at once, and asks why before it refuses. `done` is called after a decision, when no dialog is open. */
export function useDecisions(done?: () => void): { decide: Decide; dialog: ReactNode } {
  const { t } = useTranslation('ops');
  const queries = useQueryClient();
  const [refusing, setRefusing] = useState<Person | null>(null);
  const [opened, setOpened] = useState(false);
  const [decided, setDecided] = useState(false);

  const take = (person: Person, decision: Decision) => {
    const { id } = person.account;
    queries.setQueryData(accountQuery(id).queryKey, person);
    replaceInLists(queries, 'people', person, (p) => p.account.id);
    void queries.invalidateQueries({ queryKey: waitingCount.queryKey });
    notifications.show({
      color: decision === 'approve' ? 'lagoon' : 'orange', closeButtonProps: { 'aria-label': t('trips.dialog.close') },
      message: t(`approvals.${decision === 'approve' ? 'approved' : 'refused'}`, { name: fullName(person.account) }),
    });
  };
  const approve = useMutation({
    mutationFn: ({ account }: Person) => call(http.POST('/v1/admin/accounts/{id}/approve', { params: { path: { id: account.id } }, body: {} })),
    onSuccess: (person) => {
      take(person, 'approve');
      done?.();
    },
    onError: (error) => notifications.show({ color: 'red', closeButtonProps: { 'aria-label': t('trips.dialog.close') }, message: opsProblemText(error) }),
  });
  const decide: Decide = (decision, person) => {
    if (decision === 'approve') {
      if (!approve.isPending) approve.mutate(person);
      return;
    }
    setRefusing(person);
    setOpened(true);
  };

  const name = refusing ? fullName(refusing.account) : '';
  const back = refusing?.account.approval?.state === 'approved';
  const dialog = refusing && (
    <ReasonDialog opened={opened} onClose={() => setOpened(false)} danger
      title={t(back ? 'approvals.takeBackTitle' : 'approvals.refuseTitle', { name })} text={t(back ? 'approvals.takeBackText' : 'approvals.refuseText', { name })}
      confirm={t(back ? 'approvals.takeBack' : 'approvals.refuse')} hint={(left) => t('approvals.reasonHint', { left })}
      act={(reason) => call(http.POST('/v1/admin/accounts/{id}/refuse', { params: { path: { id: refusing.account.id } }, body: { reason } }))}
      onDone={(person) => { setOpened(false); setDecided(true); take(person, 'refuse'); }}
      onExited={() => { if (decided) done?.(); setDecided(false); }} />
  );
  return { decide, dialog };
}

/** What can be decided, as buttons of a row. */
export function DecideButtons({ person, decide, compact = false }: { person: Person; decide: Decide; compact?: boolean }) {
  const { t } = useTranslation('ops');
  const name = fullName(person.account);
  const approved = person.account.approval?.state === 'approved';
  return (
    <Group gap={6} wrap="nowrap">
      {possible(person).map((decision) => {
        const [label, Icon] = decision === 'approve' ? [t('approvals.approveNamed', { name }), IconCheck] as const : [t(approved ? 'approvals.takeBackTitle' : 'approvals.refuseNamed', { name }), IconX] as const;
        const look = decision === 'approve' ? { variant: 'light', color: 'lagoon' } : { variant: 'default' };
        return compact
          ? <ActionIcon key={decision} size={44} {...look} aria-label={label} onClick={() => decide(decision, person)}><Icon size={20} /></ActionIcon>
          : <Button key={decision} size="compact-sm" {...look} aria-label={label} leftSection={<Icon size={14} aria-hidden="true" />} onClick={() => decide(decision, person)}>
            {t(decision === 'approve' ? 'approvals.approve' : approved ? 'approvals.takeBack' : 'approvals.refuse')}
          </Button>;
      })}
    </Group>
  );
}
