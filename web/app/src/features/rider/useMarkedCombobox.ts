import { useCombobox, type ComboboxStore } from '@mantine/core';
import { useState } from 'react';

/**
 * A list to choose from that knows which of its options is marked, for those who cannot see it. Mantine's own learns
 * that by arrow keys alone, and goes on naming an option that is gone.
 */
export function useMarkedCombobox(): { readonly store: ComboboxStore; readonly marked: string | undefined } {
  const [marked, setMarked] = useState<string | null>(null);
  const store = useCombobox({ onDropdownClose: () => unmark() });
  const unmark = () => {
    store.resetSelectedOption();
    setMarked(null);
  };
  const mark = (id: string | null) => {
    setMarked(id);
    return id;
  };
  return {
    store: {
      ...store,
      resetSelectedOption: unmark,
      selectFirstOption: () => mark(store.selectFirstOption()),
      selectNextOption: () => mark(store.selectNextOption()),
      selectPreviousOption: () => mark(store.selectPreviousOption()),
      selectActiveOption: () => mark(store.selectActiveOption()),
    },
    marked: store.dropdownOpened && marked !== null ? marked : undefined,
  };
}
