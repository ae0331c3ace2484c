import i18next from 'i18next';

/** The name of a vehicle class. Operators make their own; those go by the name they were given. */
export function vehicleClassName(vehicleClass: string): string {
  return i18next.t(`shell:vehicle.${vehicleClass as 'standard'}`, { defaultValue: vehicleClass });
}

/** The colours that have a name in every language, as accounts keep them. People may write any other. */
export const colours = ['white', 'black', 'silver', 'grey', 'blue', 'red', 'green', 'brown', 'beige', 'yellow', 'orange', 'gold', 'purple'] as const;

/** A colour in the chosen language; one that is not known as it was written. */
export function colourName(colour: string): string {
  const known = colours.find((c) => c === colour.toLowerCase());
  return known ? i18next.t(`shell:colour.${known}`) : colour;
}

/** What to keep for a colour that was typed or chosen in the chosen language. */
export function colourOf(text: string): string {
  const typed = text.trim();
  return colours.find((c) => c === typed.toLowerCase() || colourName(c).toLowerCase() === typed.toLowerCase()) ?? typed;
}

/** What a car looks like: White Hyundai Ioniq 5. Empty where nothing is known. */
export function vehicleText(vehicle: { readonly make?: string; readonly model?: string; readonly colour?: string }): string {
  const model = [vehicle.make, vehicle.model].filter(Boolean).join(' ');
  const colour = vehicle.colour ? colourName(vehicle.colour) : '';
  if (!colour) return model;
  if (!model) return colour;
  return i18next.t('shell:vehicleLooks', { colour, model });
}
