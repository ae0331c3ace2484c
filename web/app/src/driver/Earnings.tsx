import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function EarningsPage() {
  const { t } = useTranslation('driver');
  return (
    <Container py="xl">
      <Text>{t('earnings.intro')}</Text>
    </Container>
  );
}
