import { colourOf } from '../../lib/vehicle';

interface VehicleValues {
  readonly vehicle_class: string;
  readonly plate: string;
  readonly vehicle_make: string;
  readonly vehicle_model: string;
  readonly vehicle_colour: string;
}

/** A form's vehicle as the server takes it. */
export function vehicleOf(v: VehicleValues): VehicleValues {
  return {
    vehicle_class: v.vehicle_class, plate: v.plate.trim(),
    vehicle_make: v.vehicle_make.trim(), vehicle_model: v.vehicle_model.trim(), vehicle_colour: colourOf(v.vehicle_colour),
  };
}
