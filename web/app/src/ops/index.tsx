import { Outlet } from '@tanstack/react-router';

/** What all pages of the console share. */
export default function OpsLayout() {
  return <Outlet />;
}
