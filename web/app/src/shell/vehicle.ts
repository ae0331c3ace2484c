import i18next from 'i18next';

/** The name of a vehicle class. Operators make their own; those go by the name they were given. */
export function vehicleClassName(vehicleClass: string): string {
  return i18next.t(`shell:vehicle.${vehicleClass as 'standard'}`, { defaultValue: vehicleClass });
}
