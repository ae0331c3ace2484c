import { Box, Container, Flex, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconBolt, IconHexagons, IconServer2 } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { useServerConfig } from '../../api/queries';
import { LinkAnchor, LinkButton } from '../../lib/links';
import { usePageTitle } from '../../lib/usePageTitle';
import { DemoRoles } from './DemoRoles';
import { Hero } from './Hero';

const facts = [
  { key: 'near', icon: IconHexagons },
  { key: 'one', icon: IconBolt },
  { key: 'yours', icon: IconServer2 },
] as const;

export default function Landing() {
  const { t } = useTranslation('account');
  usePageTitle('');
  const config = useServerConfig();
  return (
    <Container size="lg" py={{ base: 'xl', sm: 56 }}>
      <Flex direction={{ base: 'column', md: 'row' }} gap={{ base: 'xl', md: 56 }} align="center" justify="space-between">
        <Stack gap="lg" maw={520} w="100%">
          <Title order={1} fz={{ base: 34, sm: 46 }} lh={1.12} lts="-0.02em" style={{ textWrap: 'balance' }}>{t('landing.title')}</Title>
          <Text size="lg" c="dimmed">{t('landing.text')}</Text>
          <Group gap="sm" grow preventGrowOverflow={false}>
            <LinkButton to="/signup" search={{ role: 'rider' }} size="lg">{t('landing.ride')}</LinkButton>
            <LinkButton to="/signup" search={{ role: 'driver' }} size="lg" variant="default">{t('landing.drive')}</LinkButton>
          </Group>
          <Text size="sm">{t('signUp.known')} <LinkAnchor to="/login">{t('logIn.title')}</LinkAnchor></Text>
        </Stack>
        {/* On a phone in a demonstration its three ways in come first. */}
        <Box visibleFrom={config.data?.demo ? 'md' : undefined} w="100%" maw={460}><Hero /></Box>
      </Flex>
      <DemoRoles mt={{ base: 40, md: 56 }} />
      <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="xl" mt={56}>
        {facts.map(({ key, icon: Icon }) => (
          <Stack key={key} gap={6}>
            <Text c="lagoon" component="span" lh={1}><Icon size={28} stroke={1.6} aria-hidden="true" /></Text>
            <Title order={2} size="h4">{t(`landing.${key}`)}</Title>
            <Text c="dimmed">{t(`landing.${key}Text`)}</Text>
          </Stack>
        ))}
      </SimpleGrid>
    </Container>
  );
}
