import { Center, Loader } from '@mantine/core';
import { useTranslation } from 'react-i18next';

/** While a page's own code is on its way. Pages show skeletons while their data is. */
export function Loading() {
  const { t } = useTranslation();
  return (
    <Center mih="50vh" role="status" aria-label={t('loading')}>
      <Loader type="dots" />
    </Center>
  );
}
