import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function OpsMapPage() {
  const { t } = useTranslation('ops');
  return (
    <Container py="xl">
      <Text>{t('map.intro')}</Text>
    </Container>
  );
}
