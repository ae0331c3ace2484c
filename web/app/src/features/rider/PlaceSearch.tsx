import { Anchor, Combobox, Loader, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { Point } from '@hexhail/client';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from 'react';
import { useTranslation } from 'react-i18next';

import { keys } from '../../api/queries';
import { search, searchUrl, type Findings, type Found, type Place } from '../../lib/geocode';
import { clip } from '../../lib/trip/text';
import { nameWords } from '../../lib/trip/words';
import { addressBytes } from './draft';
import classes from './rider.module.css';
import { useMarkedCombobox } from './useMarkedCombobox';

const leastLetters = 2;
const debounceMs = 300;
/** As many as the server takes; a pasted letter is no search. */
const mostLetters = 120;
const nothing: readonly Found[] = [];

/** Finds a place by its name or address. What is typed first is searched after a pause; an older search is called off. */
export function PlaceSearch({ geocoder, label, icon, near, focused, onType, onFound }: {
  geocoder: string;
  label: string;
  icon: ReactNode;
  near: Point | undefined;
  /** Takes the keyboard's focus when it appears: the rider asked for it. */
  focused: boolean;
  onType: () => void;
  onFound: (place: Place) => void;
}) {
  const { t, i18n } = useTranslation('rider');
  const { t: words } = useTranslation('trips');
  const { store: box, marked } = useMarkedCombobox();
  const list = useId();
  const [text, setText] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const credit = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (focused) field.current?.focus();
  }, [focused]);
  const [wanted] = useDebouncedValue(text.trim(), debounceMs);
  const results = useQuery({
    queryKey: keys.placesNamed(geocoder, wanted, i18n.language),
    queryFn: ({ signal }) => search(searchUrl(geocoder, wanted, near, i18n.language), nameWords(words), signal),
    enabled: wanted.length >= leastLetters,
    staleTime: 5 * 60_000,
    retry: 1,
  });
  // What was found for the letters before is nothing to choose from.
  const current = wanted.length >= leastLetters && wanted === text.trim();
  const found = current ? results.data?.places ?? nothing : nothing;
  useEffect(() => {
    if (found.length > 0) box.selectFirstOption(); // so that Enter takes it
    // The store's functions are new ones with every change of it.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [found]);

  const choose = (index: string) => {
    const place = found[Number(index)];
    if (!place) return;
    box.closeDropdown();
    onFound({ point: place.point, address: clip(place.address, addressBytes) });
  };
  return (
    <Combobox store={box} onOptionSubmit={choose}>
      <Combobox.Target withAriaAttributes={false}>
        <TextInput
          ref={field} role="combobox" aria-label={label} aria-autocomplete="list" aria-expanded={box.dropdownOpened && found.length > 0}
          aria-controls={box.dropdownOpened && found.length > 0 ? list : undefined} aria-activedescendant={found.length > 0 ? marked : undefined}
          placeholder={t('search.placeholder', { end: label })} leftSection={icon} size="md" value={text} maxLength={mostLetters}
          rightSection={results.isFetching ? <Loader size={16} /> : null} autoComplete="off"
          onChange={(e) => {
            setText(e.currentTarget.value);
            box.openDropdown();
            box.resetSelectedOption();
          }}
          onFocus={() => { onType(); box.openDropdown(); }} onBlur={(e) => { if (!credit.current || e.relatedTarget !== credit.current) box.closeDropdown(); }}
          onKeyDown={(e) => {
            // The list lies at the end of the page, where Tab would come last.
            if (e.key !== 'Tab' || e.shiftKey || !credit.current || !box.dropdownOpened || !current) return;
            e.preventDefault();
            credit.current.focus();
          }}
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={!current || results.isPending}>
        {results.data && found.length > 0 && <Apart streets={results.data.apart} />}
        {found.length > 0
          ? <Combobox.Options id={list} aria-label={label}>{found.map((place, i) => <Hit key={keyOf(place)} index={i} place={place} />)}</Combobox.Options>
          : <Combobox.Empty role="status">{t(results.isError ? 'search.failed' : 'search.nothing')}</Combobox.Empty>}
        {results.data?.credit && <Credit credit={results.data.credit} link={credit} field={field} onLeave={() => box.closeDropdown()} />}
      </Combobox.Dropdown>
    </Combobox>
  );
}

/** Says why a crossing that was searched for is not in the list. */
function Apart({ streets }: { streets: Findings['apart'] }) {
  const { t } = useTranslation('rider');
  if (!streets) return null;
  return <Combobox.Header role="status"><Text size="xs">{t('search.apart', { a: streets[0], b: streets[1] })}</Text></Combobox.Header>;
}

/** Whom to thank for the names: on a phone the map, which says so too, is out of sight. */
function Credit({ credit, link, field, onLeave }: {
  credit: NonNullable<Findings['credit']>;
  link: RefObject<HTMLAnchorElement | null>;
  /** Where the keyboard goes from the link, and with Tab beyond. */
  field: RefObject<HTMLInputElement | null>;
  onLeave: () => void;
}) {
  const back = (e: KeyboardEvent) => {
    if (e.key !== 'Tab' && e.key !== 'Escape') return;
    // Backwards, and to close the list, the field itself is where to go.
    if (e.shiftKey || e.key === 'Escape') e.preventDefault();
    field.current?.focus();
    if (e.key === 'Escape') onLeave();
  };
  return (
    // The field would lose the focus, and the list close before the click.
    <Combobox.Footer onMouseDown={(e) => e.preventDefault()}>
      <Anchor ref={link} href={credit.url} target="_blank" rel="noreferrer" size="xs" c="dimmed" onKeyDown={back} onBlur={(e) => { if (e.relatedTarget !== field.current) onLeave(); }}>{credit.text}</Anchor>
    </Combobox.Footer>
  );
}

const keyOf = (place: Found): string => `${place.address} ${place.point.lat} ${place.point.lng}`;

function Hit({ place, index }: { place: Found; index: number }) {
  return (
    <Combobox.Option value={String(index)}>
      <Text size="sm" fw={600}>{place.address}</Text>
      {place.context !== '' && <Text size="xs" className={classes.context}>{place.context}</Text>}
    </Combobox.Option>
  );
}
