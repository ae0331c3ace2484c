import { CloseButton, Kbd, TextInput } from '@mantine/core';
import { useDebouncedCallback, useHotkeys } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

interface Props {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  /** Called a moment after the last key, and at once with Enter. */
  readonly onChange: (value: string) => void;
  /** Whether "/" leads here. One field of a page. */
  readonly main?: boolean;
}

/** A text filter that applies once the typing pauses. */
export function SearchField({ label, placeholder, value, onChange, main = false }: Props) {
  const { t } = useTranslation('ops');
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  const [applied, setApplied] = useState(value);
  // The filter was changed elsewhere, such as by the back button.
  if (value !== applied) {
    setApplied(value);
    if (value !== text.trim()) setText(value);
  }
  const apply = useDebouncedCallback((next: string) => onChange(next.trim()), 300);
  useHotkeys(main ? [['/', () => field.current?.focus()]] : []);
  const change = (next: string) => {
    setText(next);
    apply(next);
  };
  return (
    <TextInput ref={field} role="searchbox" aria-label={label} placeholder={placeholder} value={text} maxLength={64} size="sm"
      leftSection={<IconSearch size={16} aria-hidden="true" />} {...(main ? { 'aria-keyshortcuts': '/' } : {})}
      rightSection={text === '' ? (main ? <Kbd size="xs" aria-hidden="true">/</Kbd> : null)
        : <CloseButton size="sm" aria-label={t('trips.list.clear')} onClick={() => { change(''); apply.flush(); field.current?.focus(); }} />}
      onChange={(e) => change(e.currentTarget.value)}
      onKeyDown={(e) => { if (e.key === 'Enter') apply.flush(); if (e.key === 'Escape' && text !== '') { e.stopPropagation(); change(''); apply.flush(); } }} />
  );
}
