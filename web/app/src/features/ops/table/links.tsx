import { Anchor, Button, type AnchorProps, type ButtonProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes } from 'react';

// Mantine's components as links of the router, with its checks of paths and searches.

type Html<P> = P & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof P> & { ref?: React.Ref<HTMLAnchorElement> };

export const AnchorLink = createLink((props: Html<AnchorProps>) => <Anchor component="a" {...props} />);
export const ButtonLink = createLink((props: Html<ButtonProps>) => <Button component="a" {...props} />);
