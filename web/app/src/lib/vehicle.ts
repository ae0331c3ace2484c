import i18next from 'i18next';

/** The classes that have names in our texts; operators may have others. */
const namedClasses = ['standard', 'comfort', 'van'] as const;

/** A vehicle class for people: "Comfort". A class of the operator's own is shown as it is called there, as words. */
export function vehicleClassName(vehicleClass: string): string {
  const named = namedClasses.find((c) => c === vehicleClass);
  if (named) return i18next.t(`shell:vehicle.${named}`);
  const spaced = vehicleClass.replaceAll(/[_-]+/g, ' ');
  return spaced.charAt(0).toLocaleUpperCase(i18next.resolvedLanguage) + spaced.slice(1);
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
