import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function Profile() {
  const { t } = useTranslation('account');
  return (
    <Container py="xl">
      <Text>{t('profile.title')}</Text>
    </Container>
  );
}
