import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function SignUp() {
  const { t } = useTranslation('account');
  return (
    <Container py="xl">
      <Text>{t('signUp.title')}</Text>
    </Container>
  );
}
