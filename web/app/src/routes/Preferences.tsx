import { ActionIcon, Menu, useMantineColorScheme } from '@mantine/core';
import { IconCheck, IconDeviceDesktop, IconLanguage, IconMoon, IconSun } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { chooseLanguage, languages, type Language } from '../lib/i18n';

/** The language, from the header. */
export function LanguageMenu() {
  const { t, i18n } = useTranslation();
  return (
    <Choices label={t('language')} icon={<IconLanguage size={20} />} chosen={i18n.language}
      options={(Object.keys(languages) as Language[]).map((l) => ({ value: l, text: languages[l], lang: l }))}
      choose={(l) => void chooseLanguage(l)} />
  );
}

const schemes = { auto: IconDeviceDesktop, light: IconSun, dark: IconMoon } as const;
type Scheme = keyof typeof schemes;

/** Light, dark or as the system, from the header. */
export function SchemeMenu() {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const Icon = schemes[colorScheme];
  return (
    <Choices label={t('scheme.label')} icon={<Icon size={20} />} chosen={colorScheme}
      options={(Object.keys(schemes) as Scheme[]).map((s) => ({ value: s, text: t(`scheme.${s}`) }))}
      choose={setColorScheme} />
  );
}

interface ChoicesProps<T extends string> {
  label: string;
  icon: ReactNode;
  chosen: string;
  options: { value: T; text: string; lang?: string }[];
  choose: (value: T) => void;
}

function Choices<T extends string>({ label, icon, chosen, options, choose }: ChoicesProps<T>) {
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={44} aria-label={label}>{icon}</ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{label}</Menu.Label>
        {options.map((o) => (
          <Menu.Item key={o.value} lang={o.lang} onClick={() => choose(o.value)} aria-current={o.value === chosen}
            rightSection={o.value === chosen ? <IconCheck size={16} /> : null}>
            {o.text}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
