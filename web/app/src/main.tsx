import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './routes/base.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './routes/App';
import { startI18n } from './lib/i18n';
import { startSessions } from './lib/session';
import { startStyles } from './routes/styles';

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
