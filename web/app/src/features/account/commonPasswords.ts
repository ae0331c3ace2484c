import { useEffect, useState } from 'react';

import { tidyEnds } from './username';

let loaded: ReadonlySet<string> | null = null;
let loading: Promise<void> | null = null;

/** Fetches the list of passwords that the server refuses as too common: its own file, read once it is needed. */
export function loadCommonPasswords(): Promise<void> {
  loading ??= import('../../../../../transport/auth/common-passwords.txt?raw').then(
    ({ default: text }) => {
      loaded = new Set(text.split('\n').filter((line) => line !== '' && !line.startsWith('# ')));
    },
    () => {
      loading = null; // the next time; the server looks anyway
    },
  );
  return loading;
}

/**
 * Whether the server refuses a password as too common: whatever its case and the space around it, and nothing but space.
 * Of the list it knows nothing while that is not there.
 */
export function isCommonPassword(password: string): boolean {
  const word = tidyEnds(password.normalize('NFKC').toLowerCase());
  return word === '' || (loaded?.has(word) ?? false);
}

/** Loads the list once a password is typed, and renders again when it is there. */
export function useCommonPasswords(typing: boolean): void {
  const [, setReady] = useState(loaded !== null);
  useEffect(() => {
    if (typing) void loadCommonPasswords().then(() => setReady(loaded !== null));
  }, [typing]);
}
