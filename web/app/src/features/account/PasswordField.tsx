import { Group, PasswordInput, Progress, Text, type PasswordInputProps } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import { useCommonPasswords } from './commonPasswords';
import { strength } from './rules';

const colors = ['gray', 'orange', 'lagoon', 'lagoon'] as const;

/** A field for a new password, with a quiet hint at how good it is. The rule stands there once: as a hint, or as what is wrong. */
export function NewPasswordField({ username, ...props }: PasswordInputProps & { value?: string; username?: string }) {
  const { t } = useTranslation('account');
  const value = props.value ?? '';
  useCommonPasswords(value !== '');
  const score = strength(value, username);
  const word = t(`strength.${score}`);
  return (
    <div>
      <PasswordInput autoComplete="new-password" description={props.error ? undefined : t('passwordHint')} inputWrapperOrder={['label', 'input', 'error', 'description']}
        visibilityToggleButtonProps={{ 'aria-label': t('showPassword') }} {...props} />
      {value !== '' && (
        <Group gap="xs" mt={6} wrap="nowrap">
          <Progress value={((score + 1) / 4) * 100} color={colors[score]} size="xs" flex={1} aria-label={t('strength.label')} />
          <Text size="xs" c="dimmed" miw={72} ta="right" role="status">{word}</Text>
        </Group>
      )}
    </div>
  );
}
