import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function OpsActorsPage() {
  const { t } = useTranslation('ops');
  return (
    <Container py="xl">
      <Text>{t('actors.intro')}</Text>
    </Container>
  );
}
