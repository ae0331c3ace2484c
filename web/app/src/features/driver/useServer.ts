import type { Schemas } from '../../api/http';
import { useDemonstration, useServerConfig } from '../../api/queries';

/** What a driver's page has to know of its server before it can show anything. */
export interface DriverServer {
  readonly known: boolean;
  /** What a demonstration says to its visitors; undefined on ordinary servers, and until known. */
  readonly demo: Schemas['Demonstration'] | undefined;
  /** Whether a car may be simulated here: in demonstrations and trials. A fake car has no place among paying riders. */
  readonly simulated: boolean;
}

export function useDriverServer(): DriverServer {
  const config = useServerConfig();
  const isDemo = config.data?.demo === true;
  const about = useDemonstration();
  return {
    known: !config.isPending && (!isDemo || about.data !== undefined || about.isError),
    demo: about.data,
    simulated: config.data?.simulated_drive === true,
  };
}
