import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function Landing() {
  const { t } = useTranslation('account');
  return (
    <Container py="xl">
      <Text>{t('landing.intro')}</Text>
    </Container>
  );
}
