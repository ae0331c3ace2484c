import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function TripsPage() {
  const { t } = useTranslation('trips');
  return (
    <Container py="xl">
      <Text>{t('intro')}</Text>
    </Container>
  );
}
