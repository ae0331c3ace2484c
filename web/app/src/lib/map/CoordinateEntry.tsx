import { Button, Group, Stack, TextInput } from '@mantine/core';
import { useState, type ClipboardEvent, type SyntheticEvent } from 'react';
import { useTranslation } from 'react-i18next';

import { readDegrees, readPair, wrapLng, type LatLng } from './geo';

interface Props {
  readonly value?: LatLng | null;
  readonly onPick: (point: LatLng) => void;
}

/** Picks a point by typing it, for those who cannot use the map. A pasted "lat, lng" fills both fields. */
export function CoordinateEntry({ value, onPick }: Props) {
  const { t } = useTranslation('map');
  const [lat, setLat] = useState(value ? value.lat.toFixed(5) : '');
  const [lng, setLng] = useState(value ? wrapLng(value.lng).toFixed(5) : '');
  const [tried, setTried] = useState(false);
  const [y, x] = [readDegrees(lat, 90), readDegrees(lng, 180)];

  const submit = (e: SyntheticEvent) => {
    e.preventDefault();
    e.stopPropagation(); // the fields may stand inside another form of the page, through a portal
    setTried(true);
    if (y !== null && x !== null) onPick({ lat: y, lng: x });
  };
  const paste = (e: ClipboardEvent) => {
    const pair = readPair(e.clipboardData.getData('text'));
    if (!pair) return;
    e.preventDefault();
    setLat(String(pair.lat));
    setLng(String(pair.lng));
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="xs">
        <Group gap="xs" wrap="nowrap" align="flex-start">
          <TextInput label={t('entry.lat')} inputMode="text" autoComplete="off" placeholder="40.7527" value={lat} onPaste={paste}
            onChange={(e) => setLat(e.currentTarget.value)} error={tried && y === null ? t('entry.latWrong') : undefined} />
          <TextInput label={t('entry.lng')} inputMode="text" autoComplete="off" placeholder="-73.9772" value={lng} onPaste={paste}
            onChange={(e) => setLng(e.currentTarget.value)} error={tried && x === null ? t('entry.lngWrong') : undefined} />
        </Group>
        <Button type="submit" size="sm">{t('entry.use')}</Button>
      </Stack>
    </form>
  );
}
