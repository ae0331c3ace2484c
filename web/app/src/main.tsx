import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './shell/base.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './shell/App';
import { startI18n } from './shell/i18n';
import { startSessions } from './shell/session';
import { startStyles } from './shell/styles';

const root = document.getElementById('root');
if (!root) throw new Error('the page has no #root');

startSessions();
void Promise.all([startI18n(), startStyles()]).then(() => {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
});
