import { Button, FileButton, Group, Stack, Text } from '@mantine/core';
import { IconCamera, IconTrash } from '@tabler/icons-react';
import { lazy, Suspense, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Avatar } from '../../lib/Avatar';
import { photoTypes, refusalOf, type PhotoRefusal } from './photo';

const CropDialog = lazy(() => import('./CropDialog'));

interface Props {
  name: string;
  /** Address of the photo there is, empty for none. */
  photoUrl: string;
  busy?: boolean;
  onChoose: (photo: Blob) => void;
  onRemove: () => void;
}

/** One's photo: choose, crop, remove. */
export function PhotoField({ name, photoUrl, busy = false, onChoose, onRemove }: Props) {
  const { t } = useTranslation('account');
  const hint = useId();
  const [file, setFile] = useState<File | null>(null);
  const [refused, setRefused] = useState<PhotoRefusal | null>(null);
  const forget = useRef<() => void>(null);
  const choose = async (chosen: File | null) => {
    if (!chosen) return;
    const why = await refusalOf(chosen);
    setRefused(why);
    setFile(why ? null : chosen);
    forget.current?.(); // so that the same file can be chosen again
  };
  return (
    <Group wrap="nowrap" gap="md">
      <Avatar person={{ first_name: name, photo_url: photoUrl }} size={84} />
      <Stack gap={6}>
        <Group gap="xs">
          <FileButton accept={photoTypes.join(',')} onChange={(chosen) => void choose(chosen)} resetRef={forget}>
            {(props) => (
              <Button {...props} variant="default" size="sm" loading={busy} leftSection={<IconCamera size={18} />} aria-describedby={hint}>
                {photoUrl ? t('photo.change') : t('photo.add')}
              </Button>
            )}
          </FileButton>
          {photoUrl && (
            <Button variant="subtle" color="gray" size="sm" disabled={busy} leftSection={<IconTrash size={18} />} onClick={onRemove}>
              {t('photo.remove')}
            </Button>
          )}
        </Group>
        <Text id={hint} size="xs" c={refused ? 'var(--mantine-color-error)' : 'dimmed'} role={refused ? 'alert' : undefined}>{t(`photo.${refused ?? 'hint'}`)}</Text>
      </Stack>
      {file && (
        <Suspense>
          <CropDialog file={file} onCancel={() => setFile(null)} onDone={(photo) => { setFile(null); onChoose(photo); }} />
        </Suspense>
      )}
    </Group>
  );
}
