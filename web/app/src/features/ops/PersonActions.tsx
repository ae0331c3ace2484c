import { Button, Group, Text, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { IconBan, IconCircleCheck, IconKey, IconLogout, IconPhotoOff } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { call, type Schemas } from '../../api/http';
import { http, useAccount } from '../../api/auth';
import { accountQuery } from '../../api/queries';
import { PersonPassword } from './PersonPassword';
import { fullName } from './table/PersonLink';
import { ReasonDialog } from './table/ReasonDialog';
import { replaceInLists } from './table/useList';

type Person = Schemas['AdminAccountView'];
export type PersonAction = 'suspend' | 'reinstate' | 'logout' | 'password' | 'removePhoto';

/** What an operator may do to a person, each with a key of the sentence that says why not, if so. */
export function actionsOn(person: Person, self: string): { action: PersonAction; not?: 'self' | 'outside' | 'noPhoto' }[] {
  const { account } = person;
  return [
    account.status === 'active' ? { action: 'suspend', ...(account.id === self ? { not: 'self' } : {}) } : { action: 'reinstate' },
    { action: 'logout' },
    { action: 'password', ...(person.issuer ? { not: 'outside' } : {}) },
    { action: 'removePhoto', ...(account.photo_url ? {} : { not: 'noPhoto' }) },
  ];
}

const icons: Readonly<Record<PersonAction, typeof IconBan>> = {
  suspend: IconBan, reinstate: IconCircleCheck, logout: IconLogout, password: IconKey, removePhoto: IconPhotoOff,
};

/** Does it. Only a reset has a password to show. */
async function perform(action: PersonAction, id: string, reason: string): Promise<{ person: Person | null; password: string | null }> {
  const init = { params: { path: { id } }, body: { reason } };
  const changed = async (answer: Promise<Person>) => ({ person: await answer, password: null });
  switch (action) {
    case 'suspend':
      return changed(call(http.POST('/v1/admin/accounts/{id}/suspend', init)));
    case 'reinstate':
      return changed(call(http.POST('/v1/admin/accounts/{id}/reinstate', init)));
    case 'logout':
      return changed(call(http.POST('/v1/admin/accounts/{id}/logout', init)));
    case 'removePhoto':
      return changed(call(http.POST('/v1/admin/accounts/{id}/remove-photo', init)));
    case 'password':
      return { person: null, password: (await call(http.POST('/v1/admin/accounts/{id}/password', init))).password };
  }
}

/** The buttons, their dialogs, and what came of it. */
export function PersonActions({ person }: { person: Person }) {
  const { t } = useTranslation('ops');
  const self = useAccount()?.id ?? '';
  const queries = useQueryClient();
  const [asked, setAsked] = useState<PersonAction | null>(null);
  const [opened, setOpened] = useState(false);
  const [password, setPassword] = useState<string | null>(null);
  const { id } = person.account;
  const name = fullName(person.account);

  const done = (result: Awaited<ReturnType<typeof perform>>) => {
    setOpened(false);
    if (result.person) {
      queries.setQueryData(accountQuery(id).queryKey, result.person);
      replaceInLists(queries, 'people', result.person, (p) => p.account.id);
    }
    if (result.password !== null) setPassword(result.password);
    else if (asked) notifications.show({ color: 'lagoon', closeButtonProps: { 'aria-label': t('trips.dialog.close') }, message: t(`people.actions.${asked}.done`, { name }) });
  };
  return (
    <>
      <Group gap="sm" mt="lg">
        {actionsOn(person, self).map(({ action, not }) => (
          <ActionButton key={action} action={action} not={not && t(`people.actions.not.${not}`)} onClick={() => { setAsked(action); setOpened(true); }} />
        ))}
      </Group>
      {asked && (
        <ReasonDialog opened={opened} onClose={() => setOpened(false)} title={t(`people.actions.${asked}.title`, { name })}
          text={<Explanation action={asked} person={person} self={self} />} confirm={t(`people.actions.${asked}.confirm`)}
          danger={asked === 'suspend' || asked === 'removePhoto'} act={(reason) => perform(asked, id, reason)} onDone={done} />
      )}
      <PersonPassword name={name} username={person.account.username} password={password} onClose={() => setPassword(null)} />
    </>
  );
}

function ActionButton({ action, not, onClick }: { action: PersonAction; not: string | undefined; onClick: () => void }) {
  const { t } = useTranslation('ops');
  const Icon = icons[action];
  const button = (
    // Stays reachable by keyboard where it is of no use, so that its reason can be read.
    <Button size="sm" variant={action === 'reinstate' ? 'filled' : 'default'} leftSection={<Icon size={16} aria-hidden="true" />} data-disabled={not ? true : undefined}
      aria-disabled={not ? true : undefined} onClick={not ? undefined : onClick}>
      {t(`people.actions.${action}.button`)}
    </Button>
  );
  return not ? <Tooltip label={not} withArrow events={{ hover: true, focus: true, touch: true }}>{button}</Tooltip> : button;
}

function Explanation({ action, person, self }: { action: PersonAction; person: Person; self: string }): ReactNode {
  const { t } = useTranslation('ops');
  return (
    <>
      {t(`people.actions.${action}.text`)}
      {action === 'suspend' && person.active_trip && <Text size="sm" mt="xs" fw={600}>{t('people.actions.suspend.onTrip')}</Text>}
      {(action === 'logout' || action === 'password') && person.account.id === self && <Text size="sm" mt="xs" fw={600}>{t('people.actions.selfWarning')}</Text>}
    </>
  );
}
