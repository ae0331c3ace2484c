import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function LogIn() {
  const { t } = useTranslation('account');
  return (
    <Container py="xl">
      <Text>{t('logIn.title')}</Text>
    </Container>
  );
}
