import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function OpsTripPage() {
  const { t } = useTranslation('ops');
  return (
    <Container py="xl">
      <Text>{t('trip.intro')}</Text>
    </Container>
  );
}
