import { Button, SegmentedControl, SimpleGrid, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Schemas } from '../../api/http';
import { useServerConfig } from '../../api/queries';
import { homeOf, signUp } from '../../api/auth';
import { LinkAnchor } from '../../lib/links';
import { usePageTitle } from '../../lib/usePageTitle';
import classes from './account.module.css';
import { Contact } from './Contact';
import { FormProblem, useWait } from './FormProblem';
import { NewPasswordField } from './PasswordField';
import { PhotoField } from './PhotoField';
import * as rules from './rules';
import { useObjectUrl } from './useObjectUrl';
import { tidyUsername } from './username';
import { VehicleFields } from './VehicleFields';
import { vehicleOf } from './vehicleOf';

export default function SignUp() {
  const { t } = useTranslation('account');
  usePageTitle(t('signUp.title'));
  const search = useSearch({ from: '/signup' });
  const config = useServerConfig();
  return (
    <div className={classes.narrow}>
      <Title order={1} mb="xs">{t('signUp.title')}</Title>
      {config.isPending ? <Skeleton h={420} mt="md" />
        : config.data?.sign_up_open === false ? <Stack gap={4}><Text>{t('signUp.closed')}</Text><Contact /></Stack>
          : <SignUpForm role={search.role === 'driver' ? 'driver' : 'rider'} next={search.next} />}
      <Text mt="lg" size="sm">
        {t('signUp.known')} <LinkAnchor to="/login" search={search.next ? { next: search.next } : {}}>{t('logIn.title')}</LinkAnchor>
      </Text>
    </div>
  );
}

const empty = { first_name: '', last_name: '', username: '', password: '', vehicle_class: '', plate: '',
  vehicle_make: '', vehicle_model: '', vehicle_colour: '' };

function SignUpForm({ role: first, next }: { role: 'rider' | 'driver'; next: string | undefined }) {
  const { t } = useTranslation('account');
  const router = useRouter();
  const [role, setRole] = useState(first);
  const [photo, setPhoto] = useState<Blob | null>(null);
  const photoUrl = useObjectUrl(photo);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const wait = useWait(error);
  const driver = role === 'driver';
  const form = useForm({
    initialValues: empty,
    validateInputOnBlur: true,
    validate: {
      first_name: rules.name(t), last_name: rules.name(t), username: rules.username(t), password: rules.password(t),
      vehicle_class: (v) => (driver ? rules.required(t)(v) : null),
      plate: (v) => (driver ? rules.plate(t)(v) : null),
      vehicle_make: rules.vehicleDetail(t), vehicle_model: rules.vehicleDetail(t), vehicle_colour: rules.vehicleDetail(t),
    },
  });

  const send = async (values: typeof empty) => {
    setBusy(true);
    setError(null);
    try {
      const account = await signUp(requestOf(values, role), photo);
      await router.navigate({ to: next ?? homeOf(account.role), replace: true });
    } catch (e) {
      const fields = rules.fieldErrors(t, e, Object.keys(empty));
      form.setErrors(fields);
      setError(Object.keys(fields).length > 0 ? null : e);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form onSubmit={form.onSubmit((v) => void send(v))} noValidate>
      <Stack mt="md">
        <SegmentedControl aria-label={t('signUp.role')} size="md" fullWidth value={role} onChange={(v) => setRole(v as typeof role)}
          data={[{ value: 'rider', label: t('signUp.rider') }, { value: 'driver', label: t('signUp.driver') }]} />
        <PhotoField name={form.values.first_name} photoUrl={photoUrl} onChoose={setPhoto} onRemove={() => setPhoto(null)} />
        <SimpleGrid cols={2} spacing="sm">
          <TextInput label={t('firstName')} withAsterisk autoComplete="given-name" {...form.getInputProps('first_name')} />
          <TextInput label={t('lastName')} withAsterisk autoComplete="family-name" {...form.getInputProps('last_name')} />
        </SimpleGrid>
        <Text size="xs" c="dimmed" mt={-8}>{t('nameHint')}</Text>
        <TextInput label={t('username')} withAsterisk autoComplete="username" autoCapitalize="none" spellCheck={false} {...form.getInputProps('username')} />
        <NewPasswordField label={t('password')} withAsterisk username={form.values.username} {...form.getInputProps('password')} />
        {driver && <VehicleFields vehicleClass={form.getInputProps('vehicle_class')} plate={form.getInputProps('plate')}
          make={form.getInputProps('vehicle_make')} model={form.getInputProps('vehicle_model')} colour={form.getInputProps('vehicle_colour')} />}
        <FormProblem error={error} wait={wait} />
        <Button type="submit" size="md" loading={busy} disabled={wait > 0}>{t('signUp.send')}</Button>
      </Stack>
    </form>
  );
}

function requestOf(v: typeof empty, role: 'rider' | 'driver'): Schemas['SignUpRequest'] {
  const person = { role, username: tidyUsername(v.username), password: v.password, first_name: v.first_name.trim(), last_name: v.last_name.trim() };
  return role === 'driver' ? { ...person, ...vehicleOf(v) } : person;
}
