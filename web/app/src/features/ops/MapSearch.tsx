import { Combobox, Loader, Text, TextInput, useCombobox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { call } from '../../api/http';
import { http } from '../../api/auth';
import { keys } from '../../api/queries';
import classes from './Console.module.css';
import type { City } from './live/city';
import { useLiveCity } from './live/hooks';
import { shortId } from './live/text';
import type { Selected } from './mapView';

const mostFound = 8;
/** Fewer letters find half the city. */
const fewestLetters = 2;

interface Found {
  readonly name: string;
  readonly note: string;
  /** Null: known, but not in the city now. */
  readonly selected: Selected | null;
}

/** Finds drivers and riders by name, username or plate, and everything by a part of its id. */
export function MapSearch({ onFound }: { onFound: (selected: Selected) => void }) {
  const { t } = useTranslation('ops');
  const box = useCombobox({ onDropdownClose: () => box.resetSelectedOption() });
  const [text, setText] = useState('');
  const [settled] = useDebouncedValue(text.trim(), 250);
  const { found, searching } = useFound(settled);
  const open = settled.length >= fewestLetters;
  return (
    <Combobox store={box} position="bottom-start" shadow="md" width={300} onOptionSubmit={(value) => {
      const selected = found[Number(value)]?.selected;
      if (!selected) return;
      setText('');
      box.closeDropdown();
      onFound(selected);
    }}>
      <Combobox.Target>
        <TextInput size="xs" className={classes.search} type="search" placeholder={t('map.search.placeholder')} aria-label={t('map.search.label')} value={text}
          leftSection={<IconSearch size={14} aria-hidden="true" />} rightSection={searching ? <Loader size={14} /> : null}
          onChange={(e) => {
            setText(e.currentTarget.value);
            box.openDropdown();
            box.selectFirstOption();
          }}
          onFocus={() => box.openDropdown()} onBlur={() => box.closeDropdown()} />
      </Combobox.Target>
      <Combobox.Dropdown hidden={!open}>
        <Combobox.Options>
          {found.map(({ name, note, selected }, i) => (
            <Combobox.Option key={`${name} ${note}`} value={String(i)} disabled={selected === null}>
              <Text size="sm">{name}</Text>
              <Text size="xs" c="dimmed">{note}</Text>
            </Combobox.Option>
          ))}
          {found.length === 0 && !searching && <Combobox.Empty>{t('map.search.nothing')}</Combobox.Empty>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}

function useFound(text: string): { found: readonly Found[]; searching: boolean } {
  const { t } = useTranslation('ops');
  const { city } = useLiveCity().store;
  const people = useQuery({
    queryKey: keys.ops.search(text), enabled: text.length >= fewestLetters, staleTime: 10_000,
    queryFn: () => call(http.GET('/v1/admin/accounts', { params: { query: { q: text, limit: mostFound } } })),
  });
  if (text.length < fewestLetters) return { found: [], searching: false };
  const named = (people.data?.items ?? []).flatMap(({ account }): Found[] => {
    if (account.role === 'operator') return [];
    const selected = placeOf(city, account.id);
    const role = account.role === 'driver' ? t('map.details.driver') : t('map.details.rider');
    const where = selected ? '' : ` · ${t('map.search.absent')}`;
    return [{ name: `${account.first_name} ${account.last_name}`.trim(), note: `${role} · ${account.username}${where}`, selected }];
  });
  return { found: [...named, ...byId(city, text, t('map.details.trip'))].slice(0, mostFound), searching: people.isFetching };
}

/** Where a person is in the city: a driver by themselves, a rider by their trip. */
function placeOf({ drivers, trips }: City, id: string): Selected | null {
  if (drivers.rowOf(id) !== undefined) return { kind: 'driver', id };
  for (const trip of trips.values()) if (trip.rider_id === id) return { kind: 'trip', id: trip.id };
  return null;
}

function byId({ trips }: City, text: string, name: string): Found[] {
  const part = text.toLowerCase();
  if (!/^[0-9a-f-]{4,}$/.test(part)) return [];
  return [...trips.keys()].filter((id) => id.includes(part)).slice(0, mostFound)
    .map((id) => ({ name: `${name} …${shortId(id)}`, note: id, selected: { kind: 'trip', id } }));
}
