import { Container, Skeleton, Stack, VisuallyHidden } from '@mantine/core';
import { useMatches } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { MapPageSkeleton } from '../lib/map/MapSkeleton';

/** While a page's own code or texts are on their way: the outlines of what comes. Pages show their own while their data is. */
export function Loading() {
  const { t } = useTranslation();
  const { map = false, screen = false } = useMatches({ select: (matches) => matches.at(-1)?.staticData ?? {}, structuralSharing: true });
  if (map) return <MapPageSkeleton />;
  return (
    <Container size={screen ? 'xl' : 'sm'} py="lg">
      <VisuallyHidden role="status">{t('loading')}</VisuallyHidden>
      <Stack aria-hidden>
        <Skeleton height={36} width="50%" />
        <Skeleton height={screen ? 44 : 104} radius="lg" />
        <Skeleton height={screen ? 320 : 104} radius="lg" />
        {!screen && <Skeleton height={104} radius="lg" />}
      </Stack>
    </Container>
  );
}
