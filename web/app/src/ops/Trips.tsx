import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function OpsTripsPage() {
  const { t } = useTranslation('ops');
  return (
    <Container py="xl">
      <Text>{t('trips.intro')}</Text>
    </Container>
  );
}
