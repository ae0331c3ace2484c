import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function RiderPage() {
  const { t } = useTranslation('rider');
  return (
    <Container py="xl">
      <Text>{t('intro')}</Text>
    </Container>
  );
}
