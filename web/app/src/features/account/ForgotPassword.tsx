import { Button, Collapse, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useTranslation } from 'react-i18next';

import classes from './account.module.css';
import { Contact } from './Contact';

/** Passwords are set by the operator, who can tell whose account it is; this says so, and how to reach them. */
export function ForgotPassword() {
  const { t } = useTranslation('account');
  const [open, { toggle }] = useDisclosure(false);
  return (
    <div>
      <Button variant="subtle" size="compact-md" px={4} className={classes.target} onClick={toggle} aria-expanded={open} aria-controls="forgot-password">
        {t('logIn.forgot')}
      </Button>
      <Collapse in={open} id="forgot-password">
        <Stack gap={4} pt="xs">
          <Text size="sm">{t('logIn.forgotText')}</Text>
          <Contact />
        </Stack>
      </Collapse>
    </div>
  );
}
