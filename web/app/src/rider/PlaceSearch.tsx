import { Combobox, Loader, Text, TextInput, useCombobox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { Point } from '@hexhail/client';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { Place } from './draft';
import { search, searchUrl, type Found } from './geocode';

const leastLetters = 2;
const debounceMs = 300;

/** Finds a place by its name or address. What is typed first is searched after a pause; an older search is called off. */
export function PlaceSearch({ geocoder, label, icon, near, onFound }: {
  geocoder: string;
  label: string;
  icon: ReactNode;
  near: Point | undefined;
  onFound: (place: Place) => void;
}) {
  const { t, i18n } = useTranslation('rider');
  const box = useCombobox({ onDropdownClose: () => box.resetSelectedOption() });
  const [text, setText] = useState('');
  const [wanted] = useDebouncedValue(text.trim(), debounceMs);
  const results = useQuery({
    queryKey: ['geocode', geocoder, wanted, i18n.language],
    queryFn: ({ signal }) => search(searchUrl(geocoder, wanted, near, i18n.language), signal),
    enabled: wanted.length >= leastLetters,
    staleTime: 5 * 60_000,
    retry: 1,
  });
  const found = wanted.length >= leastLetters ? results.data ?? [] : [];

  const choose = (index: string) => {
    const place = found[Number(index)];
    if (!place) return;
    box.closeDropdown();
    onFound({ point: place.point, address: place.address });
  };
  return (
    <Combobox store={box} onOptionSubmit={choose} withinPortal={false}>
      <Combobox.Target>
        <TextInput
          aria-label={label} placeholder={t('search.placeholder', { end: label })} leftSection={icon} size="md" value={text}
          rightSection={results.isFetching ? <Loader size={16} /> : null} autoComplete="off"
          onChange={(e) => {
            setText(e.currentTarget.value);
            box.openDropdown();
            box.updateSelectedOptionIndex();
          }}
          onFocus={() => box.openDropdown()} onBlur={() => box.closeDropdown()}
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={wanted.length < leastLetters || results.isPending}>
        <Combobox.Options aria-label={label}>
          {results.isError
            ? <Combobox.Empty>{t('search.failed')}</Combobox.Empty>
            : found.length === 0
              ? <Combobox.Empty>{t('search.nothing')}</Combobox.Empty>
              : found.map((place, i) => <Hit key={keyOf(place)} index={i} place={place} />)}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}

const keyOf = (place: Found): string => `${place.address} ${place.point.lat} ${place.point.lng}`;

function Hit({ place, index }: { place: Found; index: number }) {
  return (
    <Combobox.Option value={String(index)}>
      <Text size="sm" fw={600}>{place.address}</Text>
      {place.context !== '' && <Text size="xs" c="dimmed">{place.context}</Text>}
    </Combobox.Option>
  );
}
