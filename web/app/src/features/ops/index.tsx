import { Outlet } from '@tanstack/react-router';
import { useEffect, useState } from 'react';

import { FeedBanner } from './live/FeedBanner';
import { LiveCityContext } from './live/hooks';
import { LiveCity } from './live/LiveCity';
import { NodesBanner } from './live/NodesBanner';
import classes from './Console.module.css';

/** What all pages of the console share: its connection, and what is said of that. */
export default function OpsLayout() {
  const [live] = useState(() => new LiveCity());
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, [live]);
  return (
    <LiveCityContext value={live}>
      <div className={classes.console}>
        <FeedBanner />
        <NodesBanner />
        <div className={classes.page}><Outlet /></div>
      </div>
    </LiveCityContext>
  );
}
