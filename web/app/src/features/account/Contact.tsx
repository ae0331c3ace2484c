import { Anchor, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import { useServerConfig } from '../../api/queries';

/** Where a contact leads when it is tapped: an e-mail address, a phone number or a web address. Null: it is a text to read. */
export function linkOf(contact: string): string | null {
  const text = contact.trim();
  if (/^https?:\/\/\S+$/i.test(text)) return text;
  if (/^[^\s@:/]+@[^\s@:/]+\.[^\s@:/]+$/.test(text)) return `mailto:${text}`;
  if (/^\+?[\d\s().-]+$/.test(text) && text.replaceAll(/\D/g, '').length >= 5) return `tel:${text.replaceAll(/[^\d+]/g, '')}`;
  return null;
}

/** Says whom to ask for help: the operator, by the contact that the server states, if it states one. */
export function Contact() {
  const { t } = useTranslation('account');
  const contact = useServerConfig().data?.support_contact.trim() ?? '';
  if (contact === '') return <Text size="sm">{t('help.operator')}</Text>;
  const link = linkOf(contact);
  return (
    <Text size="sm">
      {t('help.contact')}{' '}
      {link ? <Anchor href={link} underline="always" inherit {...(link.startsWith('http') ? { target: '_blank', rel: 'noreferrer' } : {})}>{contact}</Anchor> : <b>{contact}</b>}
    </Text>
  );
}
