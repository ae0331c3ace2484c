import { MantineProvider } from '@mantine/core';
import { ModalsProvider } from '@mantine/modals';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect } from 'react';

import { forgetLastPlace } from '../lib/map/lastPlace';
import { auth } from '../api/auth';
import { queries } from './queryClient';
import { router } from './router';
import { theme, variables } from './theme';
import { useUpdates } from './useUpdates';

/** One person's data, and the place they looked at, must not outlive their log-out in any tab. The guards run again. */
function useFreshStartPerAccount(): void {
  useEffect(() => {
    let account = auth.current?.account.id;
    return auth.subscribe(() => {
      const next = auth.current?.account.id;
      if (next === account) return;
      if (account !== undefined) forgetLastPlace();
      account = next;
      queries.clear();
      void router.invalidate();
    });
  }, []);
}

export function App() {
  useFreshStartPerAccount();
  return (
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <ModalsProvider>
          <Updates />
          <RouterProvider router={router} />
        </ModalsProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}

function Updates() {
  useUpdates();
  return null;
}
