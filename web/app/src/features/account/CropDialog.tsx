import 'react-easy-crop/react-easy-crop.css';

import { Alert, Button, Group, Modal, Slider, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import Cropper, { type Area } from 'react-easy-crop';
import { useTranslation } from 'react-i18next';

import classes from './account.module.css';
import { useObjectUrl } from './useObjectUrl';

const side = 640;

interface Props {
  file: File;
  onCancel: () => void;
  onDone: (photo: Blob) => void;
}

/** Lets people choose the square of a picture that becomes their photo. */
export default function CropDialog({ file, onCancel, onDone }: Props) {
  const { t } = useTranslation('account');
  const { t: tShell } = useTranslation('shell');
  const url = useObjectUrl(file);
  const [crop, setCrop] = useState({ x: 0, y: 0 });
  const [zoom, setZoom] = useState(1);
  const [area, setArea] = useState<Area | null>(null);
  const [failed, setFailed] = useState(false);
  const use = async () => {
    if (!area) return;
    try {
      onDone(await cut(url, area));
    } catch {
      setFailed(true);
    }
  };
  return (
    <Modal opened onClose={onCancel} title={t('photo.crop')} closeButtonProps={{ 'aria-label': tShell('close') }}>
      <Stack>
        {failed && <Alert color="red" role="alert">{t('photo.unreadable')}</Alert>}
        <div className={classes.cropper}>
          {url && (
            <Cropper image={url} crop={crop} zoom={zoom} aspect={1} cropShape="round" showGrid={false} disableAutomaticStylesInjection
              onCropChange={setCrop} onZoomChange={setZoom} onCropComplete={(_, pixels) => setArea(pixels)}
              mediaProps={{ onError: () => setFailed(true) }} />
          )}
        </div>
        <Text size="sm" c="dimmed">{t('photo.cropHint')}</Text>
        <Slider min={1} max={4} step={0.05} value={zoom} onChange={setZoom} label={null} thumbLabel={t('photo.zoom')} />
        <Group justify="end">
          <Button variant="default" onClick={onCancel}>{t('cancel')}</Button>
          <Button disabled={!area} onClick={() => void use()}>{t('photo.use')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** Draws the chosen area into a small JPEG: what is sent is little, and without its place and time. */
async function cut(url: string, area: Area): Promise<Blob> {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser cannot draw');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, side, side);
  context.drawImage(image, area.x, area.y, area.width, area.height, 0, 0, side, side);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('this browser cannot encode'))), 'image/jpeg', 0.9),
  );
}
