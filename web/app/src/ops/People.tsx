import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function OpsPeoplePage() {
  const { t } = useTranslation('ops');
  return (
    <Container py="xl">
      <Text>{t('people.intro')}</Text>
    </Container>
  );
}
