import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function DriverPage() {
  const { t } = useTranslation('driver');
  return (
    <Container py="xl">
      <Text>{t('intro')}</Text>
    </Container>
  );
}
