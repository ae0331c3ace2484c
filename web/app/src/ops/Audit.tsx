import { Container, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export default function OpsAuditPage() {
  const { t } = useTranslation('ops');
  return (
    <Container py="xl">
      <Text>{t('audit.intro')}</Text>
    </Container>
  );
}
