import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function TripPage() {
  const { t } = useTranslation('trips');
  return (
    <Container py="xl">
      <Text>{t('detail.intro')}</Text>
    </Container>
  );
}
