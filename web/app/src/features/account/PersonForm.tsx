import { Button, SimpleGrid, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { call, type Account } from '../../api/http';
import { auth, http } from '../../api/auth';
import { colourName } from '../../lib/vehicle';
import { FormProblem, useWait } from './FormProblem';
import * as rules from './rules';
import { VehicleFields } from './VehicleFields';
import { vehicleOf } from './vehicleOf';

/** One's names and, of drivers, the vehicle. */
export function PersonForm({ account }: { account: Account }) {
  const { t } = useTranslation('account');
  const driver = account.role === 'driver';
  const form = useForm({
    initialValues: {
      first_name: account.first_name, last_name: account.last_name,
      vehicle_class: account.vehicle?.class ?? '', plate: account.vehicle?.plate ?? '',
      vehicle_make: account.vehicle?.make ?? '', vehicle_model: account.vehicle?.model ?? '', vehicle_colour: colourName(account.vehicle?.colour ?? ''),
    },
    validateInputOnBlur: true,
    validate: {
      first_name: rules.name(t), last_name: rules.name(t),
      vehicle_class: (v) => (driver ? rules.required(t)(v) : null),
      plate: (v) => (driver ? rules.plate(t)(v) : null),
      vehicle_make: rules.vehicleDetail(t), vehicle_model: rules.vehicleDetail(t), vehicle_colour: rules.vehicleDetail(t),
    },
  });
  const save = useMutation({
    mutationFn: (v: typeof form.values) => {
      const names = { first_name: v.first_name.trim(), last_name: v.last_name.trim() };
      return call(http.PATCH('/v1/me', { body: driver ? { ...names, ...vehicleOf(v) } : names }));
    },
    onSuccess: (me) => {
      auth.updateAccount(me);
      form.resetDirty();
      notifications.show({ message: t('profile.saved'), color: 'lagoon', role: 'status' });
    },
    onError: (e) => form.setErrors(rules.fieldErrors(t, e, Object.keys(form.values))),
  });
  const general = Object.keys(form.errors).length > 0 ? null : save.error;
  const wait = useWait(general);
  return (
    <form onSubmit={form.onSubmit((v) => save.mutate(v))} noValidate>
      <Stack>
        <SimpleGrid cols={2} spacing="sm">
          <TextInput label={t('firstName')} withAsterisk autoComplete="given-name" {...form.getInputProps('first_name')} />
          <TextInput label={t('lastName')} withAsterisk autoComplete="family-name" {...form.getInputProps('last_name')} />
        </SimpleGrid>
        {driver && <VehicleFields vehicleClass={form.getInputProps('vehicle_class')} plate={form.getInputProps('plate')}
          make={form.getInputProps('vehicle_make')} model={form.getInputProps('vehicle_model')} colour={form.getInputProps('vehicle_colour')} />}
        <FormProblem error={general} wait={wait} />
        <Button type="submit" variant="light" loading={save.isPending} disabled={!form.isDirty() || wait > 0}>{t('profile.save')}</Button>
      </Stack>
    </form>
  );
}
