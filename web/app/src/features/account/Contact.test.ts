import { expect, it } from 'vitest';

import { linkOf } from './Contact';

it.each([
  ['help@rides.example', 'mailto:help@rides.example'],
  ['+82 2-1234-5678', 'tel:+82212345678'],
  ['(212) 555 0100', 'tel:2125550100'],
  ['https://rides.example/help', 'https://rides.example/help'],
  ['Ask at the desk in hall 3', null],
  ['javascript:alert(1)', null],
  ['javascript:x@y.z', null],
  ['data:text/html,x', null],
  ['24/7', null],
])('a contact of %j leads to %j', (contact, link) => {
  expect(linkOf(contact)).toBe(link);
});
