import { Avatar as MantineAvatar, type AvatarProps } from '@mantine/core';

interface Props extends Omit<AvatarProps, 'src' | 'name' | 'alt'> {
  person: { first_name: string; photo_url: string };
}

/** Initials on Mantine's light variant, the usual one, are too pale: 4.2:1. */
const initials = { placeholder: { color: 'light-dark(var(--mantine-color-lagoon-9), var(--mantine-color-lagoon-2))' } };

/** A person's photo, or their initial. The name stands beside it, so screen readers skip it. */
export function Avatar({ person, ...rest }: Props) {
  return (
    <MantineAvatar
      src={person.photo_url || null} name={person.first_name} color="lagoon" radius={1000} alt="" aria-hidden="true"
      {...(rest.variant === undefined && { styles: initials })} {...rest}
    />
  );
}
