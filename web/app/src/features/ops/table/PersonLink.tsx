import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { useNamed } from '../live/names';
import { shortId } from './CopyId';
import classes from './PersonLink.module.css';

/** A person's name that leads to their page. */
export function PersonLink({ id, name }: { id: string; name: ReactNode }) {
  return <Link className={classes.link} to="/ops/people/$id" params={{ id }}>{name === '' ? shortId(id) : name}</Link>;
}

/** The name of whom one has the id alone; the id until it is known, or where there is no such account. */
export function PersonName({ id }: { id: string }) {
  const account = useNamed(id);
  return <span title={id}>{account ? fullName(account) : shortId(id)}</span>;
}

/** First and last name, or the username where there is neither. */
export function fullName(account: { first_name: string; last_name: string; username: string }): string {
  return `${account.first_name} ${account.last_name}`.trim() || account.username;
}
