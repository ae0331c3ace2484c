import { useEffect, useState } from 'react';

/** A clock's time in milliseconds, read again and again. */
export function useNow(read: () => number, everyMs = 250): number {
  const [now, setNow] = useState(read);
  useEffect(() => {
    const ticking = setInterval(() => setNow(read()), everyMs);
    return () => clearInterval(ticking);
  }, [read, everyMs]);
  return now;
}
