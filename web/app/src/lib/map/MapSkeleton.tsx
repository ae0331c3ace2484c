import { Loader, Skeleton, Stack, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import classes from './MapSkeleton.module.css';
import { paddingStyle } from './padding';
import type { Padding } from './types';

/** What stands where a map will be, in what its page leaves free of it. */
export function MapSkeleton({ padding }: { padding?: Padding | undefined }) {
  return <div className={classes.ground} style={paddingStyle(padding)}><MapLoading /></div>;
}

/** Says that the map is on its way; `over` a map that is half there, at its edge. Nothing is kept from being tapped. */
export function MapLoading({ over = false }: { over?: boolean }) {
  const { t } = useTranslation();
  return (
    <div className={classes.pill} data-over={over || undefined} role="status">
      <Loader size={16} aria-hidden="true" />
      <Text span size="sm" fw={600}>{t('loadingMap')}</Text>
    </div>
  );
}

/** A whole page of a map with its sheet or panel, before any of it is there. */
export function MapPageSkeleton() {
  return (
    <div className={classes.page}>
      <div className={classes.ground}><MapLoading /></div>
      <Stack gap="sm" className={classes.sheet} aria-hidden="true">
        <Skeleton height={26} width="60%" />
        <Skeleton height={54} />
        <Skeleton height={54} />
      </Stack>
    </div>
  );
}
